# SPDX-License-Identifier: Apache-2.0
"""The documentation's code runs, and every public name is documented."""

import ast
import importlib
import inspect
import pkgutil
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tvmgo
from tvmgo._core import vm_builtins
from tvmgo.exceptions import TVMImportError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
# Python, or for a page that is followed step by step what is typed into a shell; not what needs programs that
# are not here, which a comment before it says.
BLOCK = re.compile(r"(?<!-->\n)^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_PYTHON = [
    page for page in PAGES if "python" in {kind for kind, _ in BLOCK.findall(page.read_text())}
]
STEP_BY_STEP = [DOCS / "guide" / "first_model.md"]


def name_of(page):
    return str(page.relative_to(ROOT))


def image_classifier() -> onnx.ModelProto:
    """Return a small network with the inputs and outputs of the one the pages talk about."""
    weights = np.random.default_rng(0).normal(size=(3, 1001)).astype("float32")
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 224, 224, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 1001])],
        [numpy_helper.from_array(weights, "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def rows() -> onnx.ModelProto:
    """Return a model of any number of rows."""
    graph = helper.make_graph(
        [helper.make_node("Exp", ["x"], ["y"])],
        "rows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture(scope="module")
def builtins():
    """What stays once it was used: functions for the virtual machine, and those of a Model."""
    vm_builtins.provide()
    tvmgo.Model  # its module is imported when it is asked for


@pytest.mark.slow
@pytest.mark.apache_tvm
@pytest.mark.usefixtures("builtins")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_code_of_page_runs(page, tmp_path, monkeypatch):
    from tvmgo.cli import main
    from tvmgo.compiler import export

    monkeypatch.chdir(tmp_path)
    onnx.save(image_classifier(), "model.onnx")
    onnx.save(rows(), "rows.onnx")
    if page not in STEP_BY_STEP:
        export("model.onnx", "deployed")
        shutil.copytree("deployed", ".", dirs_exist_ok=True)
    text = page.read_text()
    names = {}
    for block in BLOCK.finditer(text):
        if block[1] == "python":
            above = "\n" * text.count("\n", 0, block.start(2))  # errors tell lines of the page
            exec(compile(above + block[2], str(page), "exec"), names)
        elif page in STEP_BY_STEP:
            for command in re.findall(r"^\$ tvmgo (.*)", block[2], re.MULTILINE):
                assert main(shlex.split(command)) == 0


def documented():
    """Return what the reference documents: the names of its directives."""
    text = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    return re.findall(r"^\.\. auto\w+:: ([\w.]+)", text, re.MULTILINE)


def public_modules():
    """Return what of the package users import: modules that say which of their names are public."""
    names = [module.name for module in pkgutil.iter_modules(tvmgo.__path__)]
    found = [importlib.import_module(f"tvmgo.{name}") for name in names if name[0] != "_"]
    return [tvmgo, *(module for module in found if hasattr(module, "__all__"))]


def docstrings(module, name):
    """Return what a public name says of itself and, by name, what its members say.

    Of a class that needs packages which are not here, its source says it.
    """
    try:
        thing = getattr(module, name)
    except TVMImportError:
        return docstrings_in_source(Path(module.__file__).parent, name)
    found = {name: inspect.getdoc(thing)}
    for owner in thing.__mro__[::-1] if isinstance(thing, type) else []:
        if owner.__module__.partition(".")[0] == "tvmgo":
            found |= {
                f"{name}.{member}": own_docstring(value) or line_about(member, thing)
                for member, value in vars(owner).items()
                if member[0] != "_"
            }
    return found


def own_docstring(value):
    return None if value.__doc__ == type(value).__doc__ else value.__doc__


def line_about(member, cls):
    """Return the line of a class, or of what it is derived from, that lists an attribute."""
    text = "\n".join(each.__doc__ or "" for each in cls.__mro__)
    line = re.search(rf"^ *(\w+, )*{member}(, \w+)* :.*", text, re.MULTILINE)
    return line and line[0]


def docstrings_in_source(folder, name):
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    [node] = [
        node
        for path in folder.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (ast.ClassDef, *functions)) and node.name == name
    ]
    found = {name: ast.get_docstring(node)}
    for member in node.body if isinstance(node, ast.ClassDef) else []:
        if isinstance(member, functions) and member.name[0] != "_":
            found[f"{name}.{member.name}"] = ast.get_docstring(member)
    return found


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_public_names_and_their_members_have_docstrings(module):
    names = [name for name in module.__all__ if not name.startswith("__")]
    found = [item for name in names for item in docstrings(module, name).items()]
    assert [name for name, docstring in found if not docstring] == []


def test_reference_has_every_public_name_once():
    names = documented()
    assert len(set(names)) == len(names)
    missing = [
        f"{module.__name__}.{name}"
        for module in public_modules()
        for name in module.__all__
        # Told in words, on the page of the past: modules, and a class under another name.
        if not (name == "Context" or inspect.ismodule(vars(module).get(name)))
        and not {f"{module.__name__}.{name}", f"tvmgo.{name}"} & set(names)
    ]
    assert missing == []


@pytest.mark.parametrize("name", documented())
def test_names_in_the_reference_are_there(name):
    module, _, member = name.rpartition(".")
    found = importlib.import_module(module)
    assert member in found.__all__ or hasattr(found, member)


def anchors(page):
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)", prose):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", sorted((DOCS / "design").glob("*.md")), ids=name_of)
def test_design_names_what_is_there(page):
    text = page.read_text()
    for path in re.findall(r"`((?:tvmgo|tests|docs|benchmarks|release|examples)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path
    for name, path in re.findall(r"`(\w+)` in\s`((?:tvmgo|tests)/[\w./]+\.\w+)`", text):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), f"{name} in {path}"


def test_every_page_is_in_the_table_of_contents():
    listed = re.findall(r"^([\w/]+)$", (DOCS / "index.md").read_text(), re.MULTILINE)
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages)


def test_changes_begin_with_this_version():
    versions = re.findall(r"^## (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    [version] = re.findall(r'^VERSION = "(.*)"$', (ROOT / "setup.py").read_text(), re.MULTILINE)
    assert versions[0] == version
    assert len(set(versions)) == len(versions)


def test_notes_of_changes_have_a_known_kind():
    settings = (ROOT / "pyproject.toml").read_text()
    kinds = re.findall(r'\[\[tool.towncrier.type\]\]\ndirectory = "(\w+)"', settings)
    names = {path.name for path in (ROOT / "changes").iterdir()} - {
        "README.md",
        "template.md.jinja",
    }
    assert [
        name for name in names if not re.fullmatch(rf"[\w-]+\.({'|'.join(kinds)})\.md", name)
    ] == []
