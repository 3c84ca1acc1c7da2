# SPDX-License-Identifier: Apache-2.0
"""Which modules of the package know TVM's compiler, and which know ONNX."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "tvmgo"


def importers_of(package):
    """Return the files of tvmgo that import a package, wherever the statement stands."""
    found = set()
    for path in [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            if any(f"{name}.".startswith(f"{package}.") for name in names):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


def test_only_what_works_on_tvms_programs_imports_tvm():
    found = importers_of("tvm")
    assert {"compiler/relax/graph_builder.py", "compiler/relay/build.py"} <= found
    places = ("compiler/relax/", "compiler/relay/")
    assert [name for name in found if not name.startswith(places)] == []


def test_what_writes_the_files_knows_nothing_of_relax():
    found = importers_of("tvmgo.compiler.relax")
    assert "compiler/exporter.py" in found
    assert [name for name in found if name.startswith("compiler/graph/")] == []


def test_only_what_reads_models_imports_onnx():
    found = importers_of("onnx")
    assert "compiler/simplify/simplifier.py" in found
    places = ("compiler/simplify/", "compiler/relax/importing/", "compiler/relay/")
    assert [name for name in found if not name.startswith(places)] == []


def test_only_the_folding_of_constants_imports_onnx_runtime():
    assert importers_of("onnxruntime") == {"compiler/simplify/folding.py"}


def test_the_normal_form_knows_no_compiler():
    found = importers_of("tvmgo.compiler.relax") | importers_of("tvmgo.compiler.graph")
    assert [name for name in found if name.startswith("compiler/simplify/")] == []


def test_what_works_on_relay_knows_nothing_of_relax():
    found = importers_of("tvmgo.compiler.relax") | importers_of("tvmgo.compiler.simplify")
    assert [name for name in found if name.startswith("compiler/relay/")] == []
