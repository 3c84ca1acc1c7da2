# SPDX-License-Identifier: Apache-2.0
"""Which compilers try a model, and what is said of one that is not installed."""

import sys
from pathlib import Path

import pytest

from tests.compiler import models
from tvmgo import TVMImportError, TVMTypeError, TVMValueError
from tvmgo.compiler import ExportError, attempts, export
from tvmgo.compiler.attempts import Compiler, compilers_named

COMMAND = "tvmgo compiler install relay"


@pytest.fixture
def only(monkeypatch):
    """Return a function that lets just these kinds of workers have an environment."""

    def set_kinds(*kinds):
        def find(kind, compiler=None):
            if kind not in kinds:
                raise TVMImportError(f"no {kind} here")
            return Path(compiler or "python")

        monkeypatch.setattr(attempts, "interpreter_of", find)

    return set_kinds


def test_auto_takes_relay_as_well_where_it_is(only):
    only("relax", "relay")
    both = [Compiler("relax", Path("python")), Compiler("relay", Path("python"))]
    assert compilers_named("auto") == both
    assert compilers_named("relay") == both[1:]
    only("relax")
    assert compilers_named("auto") == both[:1]
    with pytest.raises(TVMImportError, match="no relay here"):
        compilers_named("relay")


def test_python_that_is_named_does_what_it_can(only):
    only("relay")
    assert compilers_named(sys.executable) == [Compiler("relay", Path(sys.executable))]
    only()
    with pytest.raises(TVMImportError, match="no relax here\nno relay here"):
        compilers_named(sys.executable)


def test_what_names_no_compiler(tmp_path):
    with pytest.raises(TVMValueError, match="compiler: expected 'auto', 'relax', .*, got 'tvm'"):
        compilers_named("tvm")
    with pytest.raises(TVMTypeError, match="compiler: expected 'auto', 'relax', .*, got int"):
        compilers_named(19)


def refuse(kind, interpreter, job, progress):
    if kind == "simplify":
        return {"model": job["model"], "versions": {}, "notes": {}, "others": False}
    raise ExportError("node n", f"{kind} has no such operator", "leave it out")


@pytest.mark.parametrize(
    ("kinds", "options", "expected"),
    [
        (
            ["simplify", "relax"],
            {},
            (
                "node n: relax has no such operator. Instead, leave it out; or let TVM 0.19 try it, "
                f"which is not installed: {COMMAND}."
            ),
        ),
        # The user has chosen.
        (
            ["simplify", "relax"],
            {"compiler": "relax"},
            "node n: relax has no such operator. Instead, leave it out.",
        ),
        (
            ["simplify", "relax", "relay"],
            {},
            (
                "the model: no compiler takes it:\n"
                "  graph, relax: node n: relax has no such operator\n"
                "  graph, relay: node n: relay has no such operator\n"
                ". Instead, leave it out."
            ),
        ),
    ],
    ids=["not installed", "not wanted", "tried"],
)
def test_refusal_says_whether_relay_has_tried(
    kinds, options, expected, only, monkeypatch, tmp_path
):
    only(*kinds)
    monkeypatch.setattr(attempts, "run_job", refuse)
    with pytest.raises(ExportError) as error:
        export(models.mlp()[0], tmp_path, format="graph", verify=False, **options)
    assert str(error.value) == expected


def test_model_that_cannot_be_made_simple_is_nothing_for_relay(only, monkeypatch, tmp_path):
    def refuse_simplify(kind, *others):
        raise ExportError("node n", "it has no shape", "give it one")

    only("simplify", "relax")
    monkeypatch.setattr(attempts, "run_job", refuse_simplify)
    with pytest.raises(ExportError) as error:
        export(models.mlp()[0], tmp_path, format="graph", verify=False)
    assert str(error.value) == "node n: it has no shape. Instead, give it one."


def test_models_whose_form_depends_on_the_compiler_are_simplified_for_each(
    only, monkeypatch, tmp_path
):
    asked = []

    def refuse_all(kind, interpreter, job, progress):
        asked.append((kind, job.get("compiler")))
        if kind == "simplify":
            others = job["compiler"] == "relax"
            return {"model": job["model"], "versions": {}, "notes": {}, "others": others}
        raise ExportError("node n", "it is not known", "leave it out")

    only("simplify", "relax", "relay")
    monkeypatch.setattr(attempts, "run_job", refuse_all)
    with pytest.raises(ExportError):
        export(models.mlp()[0], tmp_path, format="graph", verify=False)
    assert asked == [("simplify", "relax"), ("relax", None), ("simplify", "relay"), ("relay", None)]


RELAX = """
class Module:
    @R.function
    def main(x: R.Tensor((2,), "float32")):
        return R.add(x, x)
"""


@pytest.mark.parametrize("kind", ["onnx", "relax"])
def test_relay_alone_refuses_what_only_relax_takes(kind, only, monkeypatch, tmp_path):
    only("simplify", "relay")
    monkeypatch.setattr(attempts, "run_job", refuse)
    model, form = models.mlp()[0], "vm"
    if kind == "relax":
        model, form = models.relax_module(RELAX), "auto"
    with pytest.raises(ExportError, match='compiler: relay makes format="graph" of ONNX models'):
        export(model, tmp_path / "deployed", compiler="relay", format=form)
    assert not (tmp_path / "deployed").exists()
