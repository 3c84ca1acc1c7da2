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


IN_WORKERS = (
    *("compiler/simplify/", "compiler/relax/", "compiler/relay/", "compiler/convert/"),
    "compiler/onnx_nodes.py",  # of both importers
)
RIVAL = "model/trials/benchmark.py"  # runs a model in ONNX Runtime as well, if it is asked to


def test_only_what_runs_in_workers_imports_compilers():
    for package, example in (
        ("tvm", "compiler/relax/graph_builder.py"),
        ("onnx", "compiler/simplify/simplifier.py"),
        ("onnxruntime", "compiler/simplify/folding.py"),
    ):
        found = importers_of(package)
        assert example in found
        assert [name for name in found if not name.startswith((*IN_WORKERS, RIVAL))] == []


def test_what_writes_the_files_knows_no_compiler():
    found = importers_of("tvmgo.compiler.relax") | importers_of("tvmgo.compiler.relay")
    assert "compiler/relax/job.py" in found
    assert [name for name in found if name.startswith("compiler/graph/")] == []


def test_the_normal_form_knows_no_compiler():
    found = importers_of("tvmgo.compiler.relax") | importers_of("tvmgo.compiler.graph")
    assert [name for name in found if name.startswith("compiler/simplify/")] == []


def test_what_works_on_relay_knows_nothing_of_relax():
    found = importers_of("tvmgo.compiler.relax") | importers_of("tvmgo.compiler.simplify")
    assert [name for name in found if name.startswith("compiler/relay/")] == []


def test_what_runs_in_workers_imports_no_extension():
    allowed = ("tvmgo.compiler", "tvmgo.exceptions")
    for folder in (*IN_WORKERS, "compiler/graph/", "compiler/workers/"):
        for path in sorted(PACKAGE.glob(folder + "**/*.py" if folder[-1] == "/" else folder)):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("tvmgo."):
                    name = f"{node.module}.{node.names[0].name}"
                    assert name.startswith(allowed), path
