# SPDX-License-Identifier: Apache-2.0
"""The rules of docs/design/architecture.md, read from the sources: layers, one way out, one who counts.

Each rule is a function of sources, so that a test can show that it notices a breach.
"""

import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tvmgo"

# Who may import what lies outside; nobody else does.
OUTSIDE = {
    "tvm": {"compiler.*"},
    "onnx": {"compiler.*"},
    "kserve": {"serving.*"},
    "ray": {"batch.ray_data", "serving.ray_serve"},
    "tvm_ffi": {"_core.interop", "compiler.relax.schedule.expressions"},
}

# What stands in these files of _core only: a pattern, and the stems of the files.
ONE_PLACE = {
    "one way out": (r"\bTVMFFIFunctionCall\b|\bsafe_call\b|\.call\(", {"native_call"}),
    "one place that counts references": (r"\bTVMFFIObject(Inc|Dec)Ref\b", {"handle"}),
    "one place that counts live objects": (r"\blive\b", {"handle"}),
    "one way from a C code to an exception": (r"\bTVMFFIErrorMoveFromRaised\b", {"error"}),
}
# The same for cxx.
ONE_PLACE_CXX = {
    "one place that counts references": (r"\bTVMFFIObject(Inc|Dec)Ref\s*\(", {"ffi/ffi"}),
}


# ---------------------------------------------------------------- reading


def without_text(source):
    """Return Python or Cython code without docstrings and comments."""
    return re.sub(r"#.*", "", re.sub(r'"""[\s\S]*?"""', '""', source))


def without_text_cxx(source):
    return re.sub(r"//.*", "", source)


def read_modules():
    """Return the sources of each module of the package, without ``tvmgo.``; the front door is it."""
    sources = {}
    for path in sorted(PACKAGE.rglob("*.p*")):
        if path.suffix in (".py", ".pyx", ".pxd"):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__") or "tvmgo"
            sources[name] = sources.get(name, "") + without_text(path.read_text()) + "\n"
    return sources


def read_cxx():
    """Return the sources of each pair of files in cxx, without the ending."""
    sources = {}
    for path in sorted((PACKAGE / "cxx").rglob("*.*")):
        if path.suffix in (".h", ".cc", ".c"):
            name = path.relative_to(PACKAGE / "cxx").with_suffix("").as_posix()
            sources[name] = sources.get(name, "") + without_text_cxx(path.read_text()) + "\n"
    return sources


def read_layers(page):
    """Return the two lists under the heading "Layers": a list of names for each layer."""
    section = page.partition("\n## Layers\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    python, cxx = ([line.split() for line in block.splitlines()] for block in blocks)
    return python, cxx


LAYERS, CXX_LAYERS = read_layers((ROOT / "docs" / "design" / "architecture.md").read_text())

FROM = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n]+)", re.MULTILINE)
IMPORT = re.compile(r"^[ \t]*c?import[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)", re.MULTILINE)


def imports_of(source):
    """Return all that a source imports, wherever in it; ``from a import b`` is a.b."""
    found = {name.strip() for match in IMPORT.findall(source) for name in match.split(",")}
    for module, names in FROM.findall(source):
        for name in names.strip("()").split(","):
            if name.strip():
                found.add(f"{module}.{name.split()[0]}")
    return found


def import_graph(sources):
    """Return for each module the modules it imports, and the packages outside that we watch."""
    graph = {}
    for module, source in sources.items():
        graph[module] = set()
        for name in imports_of(source):
            root, _, rest = name.partition(".")
            if root == "tvmgo":
                while rest and rest not in sources:  # a name in a module
                    rest = rest.rpartition(".")[0]
                graph[module].add(rest or "tvmgo")
            elif root in OUTSIDE:
                graph[module].add(root)
        graph[module].discard(module)
    return graph


def include_graph(sources):
    """Return for each file of cxx the files it includes."""
    return {
        file: {name.rpartition(".")[0] for name in re.findall(r'#include "([^"]+)"', source)}
        & set(sources) - {file}
        for file, source in sources.items()
    }


# ---------------------------------------------------------------- rules


def layer_of(name, layers):
    """Return the rank of a module's layer and what lists it there: its name, or ``package.*``."""
    found = None, None
    for rank, names in enumerate(layers):
        for listed in names:
            if name == listed:  # counts more than its package
                return rank, listed
            package = listed[:-2] if listed.endswith("*") else None
            if package and (name == package or name.startswith(listed[:-1])):
                found = rank, listed
    return found


def breaches_of_layers(graph, layers):
    """Return a line for each import of a module that is not in a layer below."""
    lines = []
    for module, imported in sorted(graph.items()):
        rank, listed = layer_of(module, layers)
        if rank is None:
            lines.append(f"{module} is in no layer")
            continue
        for name in sorted(imported):
            if name in OUTSIDE:
                if not {listed, module} & OUTSIDE[name]:
                    lines.append(f"{module} imports {name}")
                continue
            other_rank, other_listed = layer_of(name, layers)
            if other_rank is not None and other_listed != listed and other_rank >= rank:
                lines.append(f"{module} uses {name}")
    present = {layer_of(module, layers)[1] for module in graph}
    lines += [
        f"{name} is a layer of nothing" for names in layers for name in names if name not in present
    ]
    return lines


def cycle_in(graph):
    """Return modules that use each other in a circle, [] if there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def breaches_of_one_place(sources, rules):
    return [
        f"{name}: {rule}"
        for rule, (pattern, allowed) in rules.items()
        for name, source in sorted(sources.items())
        if name not in allowed and re.search(pattern, source)
    ]


def core_sources():
    return {
        name.removeprefix("_core."): source
        for name, source in read_modules().items()
        if name.startswith("_core.")
    }


# ---------------------------------------------------------------- the sources keep them


def test_modules_use_only_layers_below():
    assert breaches_of_layers(import_graph(read_modules()), LAYERS) == []


def test_modules_use_each_other_in_no_circle():
    assert cycle_in(import_graph(read_modules())) == []


def test_folders_of_cxx_use_only_folders_below():
    assert breaches_of_layers(include_graph(read_cxx()), CXX_LAYERS) == []


def test_core_has_one_place_for_each_of_these():
    assert breaches_of_one_place(core_sources(), ONE_PLACE) == []


def test_cxx_has_one_place_for_each_of_these():
    assert breaches_of_one_place(read_cxx(), ONE_PLACE_CXX) == []


# A rule whose pattern stands nowhere watches a name that is gone.
@pytest.mark.parametrize("rule", ONE_PLACE)
def test_the_one_place_is_where_the_rule_says(rule):
    pattern, allowed = ONE_PLACE[rule]
    assert all(re.search(pattern, core_sources()[name]) for name in allowed)


def test_the_one_place_of_cxx_is_where_the_rule_says():
    ((pattern, allowed),) = ONE_PLACE_CXX.values()
    assert all(re.search(pattern, read_cxx()[name]) for name in allowed)


# ---------------------------------------------------------------- a breach is noticed

THREE = [["low"], ["_core.a", "_core.b"], ["compiler.*"]]
FINE = {
    "low": "import os",
    "_core.a": "from tvmgo.low cimport (\n    x,\n    y,\n)",
    "_core.b": "from tvmgo import low",
    "compiler.one": "import tvm\nfrom tvmgo.compiler import two",
    "compiler.two": "    from tvmgo._core.a import x",
}


def test_sources_that_keep_the_rules_pass():
    graph = import_graph(FINE)
    assert graph["_core.a"] == graph["_core.b"] == {"low"}
    assert graph["compiler.one"] == {"tvm", "compiler.two"}
    assert breaches_of_layers(graph, THREE) == []
    assert cycle_in(graph) == []


@pytest.mark.parametrize(
    ("module", "source", "breach"),
    [
        ("low", "from tvmgo._core.a cimport x", "low uses _core.a"),
        ("low", "from tvmgo._core.a import x", "low uses _core.a"),
        ("low", "from tvmgo._core cimport a, b", "low uses _core.a"),
        ("low", "cimport tvmgo._core.a", "low uses _core.a"),
        ("low", "def f():\n    from tvmgo._core.b import (\n        x,\n    )", "low uses _core.b"),
        ("low", "import os, tvmgo.compiler.one", "low uses compiler.one"),
        ("_core.a", "from tvmgo._core.b cimport x", "_core.a uses _core.b"),
        ("_core.a", "import tvm", "_core.a imports tvm"),
        ("_core.a", "from tvm.relax import op", "_core.a imports tvm"),
        ("compiler.one", "import tvm_ffi", "compiler.one imports tvm_ffi"),
        ("_core.new", "", "_core.new is in no layer"),
        ("lower", "", "lower is in no layer"),
    ],
)
def test_import_from_elsewhere_is_noticed(module, source, breach):
    assert breach in breaches_of_layers(import_graph({**FINE, module: source}), THREE)


def test_layer_of_nothing_is_noticed():
    assert breaches_of_layers(import_graph(FINE), [*THREE, ["gone"]]) == [
        "gone is a layer of nothing"
    ]


def test_circle_inside_a_package_is_noticed():
    graph = import_graph({**FINE, "compiler.two": "from tvmgo.compiler.one import x"})
    assert breaches_of_layers(graph, THREE) == []
    assert set(cycle_in(graph)) == {"compiler.one", "compiler.two"}


def test_include_from_above_is_noticed():
    sources = {"ffi/a": '#include "tensor/b.h"\n#include <vector>', "tensor/b": ""}
    layers = [["ffi/*"], ["tensor/*"]]
    assert breaches_of_layers(include_graph(sources), layers) == ["ffi/a uses tensor/b"]
    sources = {"ffi/a": '#include "ffi/c.h"', "ffi/c": "", "tensor/b": '#include "ffi/a.h"'}
    assert breaches_of_layers(include_graph(sources), layers) == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("check(ffi.TVMFFIFunctionCall(f, args, 1, &result))", "one way out"),
        ("call = (<ffi.TVMFFIFunctionCell*>cell(f)).safe_call", "one way out"),
        ("code = function.c_entry.call(function.c_entry.self, args, 1, &r)", "one way out"),
        ("ffi.TVMFFIObjectIncRef(x)", "one place that counts references"),
        ("ffi.TVMFFIObjectDecRef(x)", "one place that counts references"),
        ("live.handles += 1", "one place that counts live objects"),
        ("from tvmgo._core.handle cimport live", "one place that counts live objects"),
        ("ffi.TVMFFIErrorMoveFromRaised(&e)", "one way from a C code to an exception"),
    ],
)
def test_second_place_is_noticed(source, rule):
    assert breaches_of_one_place({"array": source}, ONE_PLACE) == [f"array: {rule}"]


def test_second_place_in_cxx_is_noticed():
    sources = {"graph/x": "TVMFFIObjectDecRef(handle);", "ffi/ffi": "TVMFFIObjectIncRef(handle);"}
    assert breaches_of_one_place(sources, ONE_PLACE_CXX) == [
        "graph/x: one place that counts references"
    ]


def test_text_about_a_rule_is_no_breach():
    source = '"""As ``TVMFFIFunctionCall`` does."""\nx = 1  # live.handles\n'
    assert breaches_of_one_place({"array": without_text(source)}, ONE_PLACE) == []
    assert imports_of(without_text('"""\nimport tvm\n"""')) == set()
