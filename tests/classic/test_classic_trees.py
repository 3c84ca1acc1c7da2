# SPDX-License-Identifier: Apache-2.0
"""Trees of modules embedded in classic libraries: constants, imports, modules of other kinds."""

import sys
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.blobs import (
    LIBRARY,
    constant_loader,
    executor_factory,
    import_tree,
    module_blob,
    number,
    text,
    texts,
    with_library,
)
from tests.classic.loading import load
from tests.classic.models import CONSTANTS, FACTORY, GRAPH, PARAMS, run
from tests.helpers import output_of
from tests.libraries import compile_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

SOURCES = Path(__file__).parent / "sources"


# ---------------------------------------------------------------- trees


@pytest.mark.parametrize("key", ["const_loader", "metadata"])
def test_constants_are_handed_over_once(embed, key):
    module = embed(with_library(key, constant_loader(CONSTANTS, {"with_constants": ["c1", "c0"]})))
    assert module.kind == "const_loader"
    for _ in range(3):
        assert module["with_constants"]() == 108  # initialised once, with an object
    assert module["kadd"] is not None
    values = module["get_const_var_ndarray"]()
    assert {name: np.asarray(value).tolist() for name, value in values.items()} == {
        "c0": [1, 2],
        "c1": [True, False],
    }


def test_failing_initialiser_says_why(embed):
    module = embed(
        with_library("const_loader", constant_loader(CONSTANTS, {"never": ["c0"], "nobody": []}))
    )
    for _ in range(2):
        with pytest.raises(tvmgo.TVMError, match="^__init_never said no$"):
            module["never"]


# As TVM's `ccompiler` writes them: nobody has a use for the constants.
@pytest.mark.parametrize("constants", [[], ["c0"]])
def test_function_without_an_initialiser_is_found(embed, constants):
    module = embed(
        with_library("const_loader", constant_loader(CONSTANTS, {"kadd": constants, "gone": []}))
    )
    for _ in range(2):
        assert module["kadd"] is not None
        assert "gone" not in module


def test_initialiser_that_answers_with_a_code_of_failure(embed):
    module = embed(with_library("const_loader", constant_loader(CONSTANTS, {"coded": ["c0"]})))
    for _ in range(2):
        with pytest.raises(tvmgo.TVMError, match="^__init_coded failed with code 3$"):
            module["coded"]


def test_initialiser_that_answers_with_something_else_is_refused(embed):
    module = embed(with_library("const_loader", constant_loader(CONSTANTS, {"wrongly": ["c0"]})))
    with pytest.raises(TypeError, match="^__init_wrongly: expected a code or None, got float$"):
        module["wrongly"]


def test_initialiser_that_looks_its_own_symbol_up(embed):
    module = embed(
        with_library(
            "const_loader",
            constant_loader(CONSTANTS, {"in_circles": ["c0"], "with_constants": ["c1"]}),
        )
    )
    looks_up = "in_circles"
    tvmgo.register_function(lambda: module[looks_up] and None, "tests.in_circles", override=True)
    try:
        for _ in range(2):
            with pytest.raises(tvmgo.TVMError, match="^__init_in_circles looks up in_circles, wh"):
                module["in_circles"]
        looks_up = "with_constants"  # which may be
        assert module["in_circles"]() is None
        assert module["with_constants"]() == 108
    finally:
        tvmgo.remove_global_function("tests.in_circles")
    del module  # which keeps the function that keeps it


def test_symbol_that_wants_a_constant_that_is_not_there(embed):
    with pytest.raises(ValueError, match='symbol "never" wants the constant "c9"'):
        embed(with_library("const_loader", constant_loader(CONSTANTS, {"never": ["c9"]})))


def test_tree_of_several_levels(embed):
    # factory -> metadata_module -> const_loader -> library, and the factory imports the library
    module = embed(
        module_blob(
            ("GraphExecutorFactory", executor_factory(GRAPH, PARAMS)),
            LIBRARY,
            ("metadata_module", b""),
            ("const_loader", constant_loader({}, {})),
            import_tree([0, 2, 2, 3, 4], [1, 2, 3, 1]),
        )
    )
    kinds = [imported.kind for imported in module.imports]
    assert kinds == ["classic_library", "metadata_module"]
    assert [imported.kind for imported in module.imports[1].imports] == ["const_loader"]
    assert run(module["default"](tvmgo.cpu(0))) == [6.25, 0]


def test_library_as_the_root_looks_into_its_imports(embed):
    module = embed(
        module_blob(
            LIBRARY,
            ("GraphExecutorFactory", executor_factory(GRAPH, {})),
            import_tree([0, 1, 1], [1]),
        )
    )
    assert module.kind == "classic_library"
    assert module["call_import"]("get_graph_json") == GRAPH


def test_library_called_by_another_looks_into_its_own_imports(embed):
    graphs = [GRAPH, GRAPH.replace("square", "other")]
    mine, other = (
        embed(
            module_blob(
                LIBRARY,
                ("GraphExecutorFactory", executor_factory(graph, {})),
                import_tree([0, 1, 1], [1]),
            )
        )
        for graph in graphs
    )
    assert mine["call_at"](other["address"](), "get_graph_json") == graphs[1]
    assert mine["call_import"]("get_graph_json") == graphs[0]


def test_modules_without_a_tree_are_imports_of_the_library(embed):
    module = embed(
        module_blob(("GraphRuntimeFactory", executor_factory(GRAPH, {})), ("metadata_module", b""))
    )
    assert module.kind == "classic_library"
    assert [imported.kind for imported in module.imports] == [
        "GraphExecutorFactory",
        "metadata_module",
    ]
    assert module["call_import"]("get_graph_json") == GRAPH
    assert embed(module_blob(LIBRARY)).imports == []
    assert embed(module_blob()).imports == []


def test_system_library_has_its_tree(compile_embedded, tmp_path):
    path = compile_embedded(FACTORY, "system", "-DSYSTEM_LIB")
    helper = compile_library(SOURCES / "marks.c", tmp_path / "marks.so", "-DNEEDS_FUNC_CALL")
    output_of(f"""
        import ctypes, gc, numpy as np, tvmgo
        tvmgo.load_module({str(helper)!r})  # makes the C names visible
        library = ctypes.CDLL({str(path)!r})
        find = tvmgo.get_global_function("tvmgo.classic_system_library")
        assert find("others_").kind == "classic_library"
        module = find("mine_")
        assert module.kind == "GraphExecutorFactory"
        executor = module["default"](tvmgo.cpu(0))
        del module
        gc.collect()
        executor["set_input"]("x", tvmgo.array(np.array([1, 2], "float32")))
        executor["run"]()
        assert np.asarray(executor["get_output"](0)).tolist() == [6.25, 0.0]
    """)


def test_system_libraries_look_into_their_own_imports(compile_embedded, tmp_path):
    graphs, paths = {}, []
    for prefix in ("mine_", "theirs_"):
        graphs[prefix] = GRAPH.replace("square", prefix)
        content = module_blob(
            LIBRARY,
            ("GraphExecutorFactory", executor_factory(graphs[prefix], {})),
            import_tree([0, 1, 1], [1]),
        )
        options = ["-DSYSTEM_LIB", f'-DPREFIX="{prefix}"', f'-DCONTEXT_PREFIX="{prefix}"']
        paths.append(str(compile_embedded(content, prefix, *options, source="imports.c")))
    helper = compile_library(SOURCES / "marks.c", tmp_path / "marks.so", "-DNEEDS_FUNC_CALL")
    output_of(f"""
        import ctypes, tvmgo
        tvmgo.load_module({str(helper)!r})  # makes the C names visible
        libraries = [ctypes.CDLL(path) for path in {paths!r}]
        find = tvmgo.get_global_function("tvmgo.classic_system_library")
        modules = [(find(prefix), graph) for prefix, graph in {graphs!r}.items()]
        for module, graph in modules:
            assert module["call_named"]("get_graph_json") == graph
    """)


def test_same_file_twice_has_two_trees(compile_embedded):
    path = compile_embedded(FACTORY)
    first, second = load(path), load(path)
    assert repr(first) != repr(second)
    assert run(first["default"](tvmgo.cpu(0))) == run(second["default"](tvmgo.cpu(0)))


@pytest.mark.parametrize(
    "rows, children, words",
    [
        ([0, 1], [1], "as many rows as modules"),
        ([], [], "as many rows"),
        ([0, 1, 2, 2], [1, 1], "as many rows"),
        ([1, 1, 1], [1], "as many rows"),
        ([0, 1, 2], [1], "as many rows"),
        ([0, 2, 1], [1], "rows that do not"),
        ([0, 1, 1], [2], "imports that are modules"),
        ([0, 1, 1], [2**63], "imports that are modules"),
        ([0, 1, 2], [1, 0], "imports itself"),
        ([0, 1, 1], [0], "imports itself"),
        ([0, 2**64 - 1, 1], [1], "rows that do not"),
    ],
    ids=str,
)
def test_wrong_tree(embed, rows, children, words):
    with pytest.raises(ValueError, match=f"embedded modules: import tree: expected .*{words}"):
        embed(module_blob(("metadata_module", b""), LIBRARY, import_tree(rows, children)))


def test_tree_with_no_place_or_two_for_the_library(embed):
    for entries in ([("metadata_module", b"")], [LIBRARY, LIBRARY]):
        rows = [0] * (len(entries) + 1)
        with pytest.raises(ValueError, match="one place for the library"):
            embed(module_blob(*entries, import_tree(rows, [])))


def test_deep_tree(embed):
    depth = 2000
    entries = [("metadata_module", b"")] * depth + [
        LIBRARY,
        import_tree([*range(depth + 1), depth], range(1, depth + 1)),
    ]
    module = embed(module_blob(*entries))
    for _ in range(depth):
        module = module.imports[0]
    assert module.kind == "classic_library"


# ---------------------------------------------------------------- modules of others


def test_module_without_a_loader_is_named(embed):
    with pytest.raises(
        tvmgo.TVMError,
        match="Binary was created using tests_kind but a loader of that name is not registered",
    ):
        embed(with_library("tests_kind", b"123"))
    with pytest.raises(tvmgo.TVMError, match=r"using \?\?x{58}\.\.\. but"):
        embed(module_blob((b"\0\xff" + b"x" * 1000, b"")))


@pytest.mark.parametrize(
    "key, reason",
    [
        ("AotExecutorFactory", "ahead-of-time executor, which ended with TVM 0.20"),
        ("VMExecutable", "Relay virtual machine, which ended with TVM 0.19"),
        ("relax.Executable", "Relax virtual machine of TVM up to 0.20.*ended with TVM 0.21"),
        ("relax.VMExecutable", "Relax virtual machine of TVM up to 0.20.*ended with TVM 0.21"),
        ("stackvm", "stack machine"),
    ],
)
def test_module_of_a_kind_that_is_gone_says_why_and_what_to_do(embed, key, reason):
    with pytest.raises(
        tvmgo.TVMError,
        match=f"module of kind {key}, which cannot run: .*{reason}.*; export the original model",
    ):
        embed(with_library(key, b"123"))


def test_external_library_is_given_to_its_loader(compile_embedded):
    payload = text("symbol") + text("{}") + texts(["c0", "c1"])
    path = compile_embedded(with_library("tests_json", payload))
    output_of(f"""
        import tvmgo
        tvmgo._native.locate.load()
        got = []
        def load(content):
            got.append(content)
            return tvmgo.system_library()
        tvmgo.register_function(load, "ffi.Module.load_from_bytes.tests_json")
        module = tvmgo.load_module({str(path)!r})
        assert got == [{payload!r}]
        assert module.imports[0].kind == "classic_library"
    """)


@pytest.mark.parametrize(
    "key, loader",
    [("cuda", "cuda"), ("hip", "hip"), ("hsaco", "hip"), ("metal", "metal"), ("opencl", "opencl")],
)
def test_device_code_is_given_in_today_s_form(compile_embedded, key, loader):
    def info(name, tags, more=b""):
        return text(name) + number(2) + bytes([3, 64, 1, 0, 0, 32, 1, 0]) + texts(tags) + more

    old, new = "tir.use_dyn_shared_memory", "tirx.use_dyn_shared_memory"
    payload = (
        text("ptx")
        + number(2)
        + text("k0")
        + info("k0", ["blockIdx.x", old])
        + text("k1")
        + info("k1", ["threadIdx.x"])
        + text(b"code\0code")
    )
    expected = (
        text("ptx")
        + number(2)
        + text("k0")
        + info("k0", ["blockIdx.x", new], number(0))
        + text("k1")
        + info("k1", ["threadIdx.x"], number(0))
        + text(b"code\0code")
    )
    path = compile_embedded(module_blob(LIBRARY, (key, payload), import_tree([0, 1, 1], [1])))
    output_of(f"""
        import tvmgo
        tvmgo._native.locate.load()
        got = []
        def load(content):
            got.append(content)
            return tvmgo.system_library()
        tvmgo.register_function(load, "ffi.Module.load_from_bytes.{loader}", override=True)
        module = tvmgo.load_module({str(path)!r})
        assert got == [{expected!r}], got
        assert module.kind == "classic_library" and len(module.imports) == 1
    """)


CUDA_LIBRARY = module_blob(
    LIBRARY, ("cuda", text("ptx") + number(0) + text("code")), import_tree([0, 1, 1], [1])
)


def load_beside(runtime, path):
    """Load a library with the runtime in that directory; print what is loaded or raised."""
    return output_of(
        f"""
        import tvmgo
        tvmgo.register_function(lambda code: tvmgo.system_library(), "tests.load_cuda")
        try:
            print(tvmgo.load_module({str(path)!r}).kind, *sorted(tvmgo._native.locate.libraries()))
        except tvmgo.TVMError as error:
            print(error)
    """,
        env={"TVMGO_RUNTIME_LIBRARY": str(runtime / "libtvm_runtime.so")},
    )


def test_cuda_s_part_of_the_runtime_is_loaded_for_a_library_with_cuda_code(
    compile_embedded, tmp_path
):
    tvmgo._native.locate.load()
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    (runtime / "libtvm_runtime.so").symlink_to(tvmgo._native.locate.libraries()["tvm_runtime"])
    path = compile_embedded(CUDA_LIBRARY)
    missing = "using cuda but a loader of that name is not registered; it is in libtvm_runtime_cuda"
    assert missing in load_beside(runtime, path)
    companion = runtime / "libtvm_runtime_cuda.so"
    companion.write_text("no library")
    assert missing in load_beside(runtime, path)
    compile_library(SOURCES / "companion.c", companion)
    assert load_beside(runtime, path) == ("classic_library tvm_ffi tvm_runtime tvm_runtime_cuda\n")
    other = compile_embedded(FACTORY, "without")
    assert load_beside(runtime, other) == "GraphExecutorFactory tvm_ffi tvm_runtime\n"
