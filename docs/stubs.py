# SPDX-License-Identifier: Apache-2.0
"""Types of the compiled modules for the reference: they stand in the stubs beside these."""

from __future__ import annotations

import ast
from pathlib import Path

import tvmgo._core

# What stubs call types that no user names.
SPOKEN = {"_HasDLPack": "SupportsDLPack", "_DeviceLike": "Device | str", "_DTypeLike": "DTypeLike"}

FUNCTIONS: dict[str, tuple[str, str]] = {}  # name, or Class.name: arguments, result
ATTRIBUTES: dict[str, str] = {}


def read(body: list[ast.stmt], owner: str = "") -> None:
    for node in body:
        if isinstance(node, ast.ClassDef):
            read(node.body, f"{node.name}.")
        elif isinstance(node, ast.AnnAssign):
            ATTRIBUTES[owner + ast.unparse(node.target)] = ast.unparse(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            read_function(node, owner)


def read_function(node: ast.FunctionDef, owner: str) -> None:
    decorators = {ast.unparse(each) for each in node.decorator_list}
    result = ast.unparse(node.returns) if node.returns else ""
    if "property" in decorators:
        ATTRIBUTES[owner + node.name] = result
        return
    if owner and "staticmethod" not in decorators:
        first = node.args.posonlyargs or node.args.args
        del first[0]
    name = owner + node.name
    if node.name in ("__init__", "__new__"):
        name, result = owner[:-1], ""
    FUNCTIONS.setdefault(name, (f"({ast.unparse(node.args)})", result))  # the first overload


for stub in sorted(Path(tvmgo._core.__file__).parent.glob("*.pyi")):
    read(ast.parse(stub.read_text()).body)


def known_by(name: str, obj: object) -> str:
    """Return the name by which stubs know what the reference calls `name`."""
    return getattr(obj, "__qualname__", None) or ".".join(name.split(".")[-2:])


def spoken(types: str | None) -> str:
    for name, word in SPOKEN.items():
        types = (types or "").replace(name, word)
    return types or ""


def is_compiled(obj: object) -> bool:
    return type(obj).__name__ in ("cython_function_or_method", "method_descriptor", "type")


def show_signature(app, what, name, obj, options, signature, returns):
    """Answer Sphinx's ``autodoc-process-signature``."""
    if signature is not None and is_compiled(obj):  # Sphinx cannot add one where there is none
        return tuple(map(spoken, FUNCTIONS.get(known_by(name, obj), (signature, returns))))
    return None


def skip_plain_calls(app, what, name, obj, skip, options):
    """Answer Sphinx's ``autodoc-skip-member``: of calls the docstring of their class tells all."""
    return True if getattr(obj, "__doc__", "") == "Call self as a function." else None


def add_types(app, what, name, obj, options, lines):
    """Answer Sphinx's ``autodoc-process-docstring``: attributes get their types."""
    if what in ("attribute", "property") and (kind := ATTRIBUTES.get(known_by(name, obj))):
        lines[:0] = [f"*{kind}*", ""]
