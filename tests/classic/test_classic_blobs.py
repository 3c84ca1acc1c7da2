# SPDX-License-Identifier: Apache-2.0
"""Modules embedded in classic libraries: trees, graph executor factories, constants, and bytes that
are wrong in every way.

The blobs are written here byte by byte as the format says, compiled into a library
(``classic/embedded.c``), and patched in the compiled file where many variants are needed.
"""

import json
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import tvmgo
from tests.helpers import compile_library, output_of, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the files are ELF files")

SOURCES = Path(__file__).parent / "sources"
TENSOR_MAGIC = 0xDD5E40F096B4A13F


# ---------------------------------------------------------------- writing blobs


def number(value):
    return struct.pack("<Q", value % 2**64)


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return number(len(value)) + value


def texts(values):
    return number(len(values)) + b"".join(map(text, values))


def numbers(values):
    return number(len(values)) + b"".join(map(number, values))


def tensor(array, code=None, bits=None):
    codes = {"f": 2, "i": 0, "u": 1, "b": 1}
    code = codes[array.dtype.kind] if code is None else code
    bits = (1 if array.dtype.kind == "b" else 8 * array.dtype.itemsize) if bits is None else bits
    return (
        struct.pack("<QQiiiBBH", TENSOR_MAGIC, 0, 1, 0, array.ndim, code, bits, 1)
        + struct.pack(f"<{array.ndim}q", *array.shape)
        + struct.pack("<q", array.nbytes)
        + array.tobytes()
    )


def factory(graph, params, model_name="default"):
    return (
        text(graph)
        + number(len(params))
        + texts(list(params))
        + b"".join(map(tensor, params.values()))
        + text(model_name)
    )


def constants(values, symbols):
    return (
        texts(list(values))
        + number(len(values))
        + b"".join(map(tensor, values.values()))
        + texts(list(symbols))
        + number(len(symbols))
        + b"".join(map(texts, symbols.values()))
    )


def blob(*entries):
    """The symbol: pairs of key and payload, after their number and the length of all."""
    content = number(len(entries)) + b"".join(text(key) + payload for key, payload in entries)
    return number(len(content)) + content


def tree(rows, children):
    return "_import_tree", numbers(rows) + numbers(children)


LIB = ("_lib", b"")

# y = (x + k0) squared
GRAPH = json.dumps(
    {
        "nodes": [
            {"op": "null", "name": "x", "inputs": []},
            {"op": "null", "name": "k0", "inputs": []},
            {
                "op": "tvm_op",
                "name": "add",
                "inputs": [[0, 0, 0], [1, 0, 0]],
                "attrs": {
                    "func_name": "kadd",
                    "num_inputs": "2",
                    "num_outputs": "1",
                    "flatten_data": "0",
                },
            },
            {
                "op": "tvm_op",
                "name": "square",
                "inputs": [[2, 0, 0]],
                "attrs": {
                    "func_name": "ksquare",
                    "num_inputs": "1",
                    "num_outputs": "1",
                    "flatten_data": "0",
                },
            },
        ],
        "arg_nodes": [0, 1],
        "heads": [[3, 0, 0]],
        "node_row_ptr": [0, 1, 2, 3, 4],
        "attrs": {
            "shape": ["list_shape", [[2]] * 4],
            "dltype": ["list_str", ["float32"] * 4],
            "storage_id": ["list_int", [0, 1, 2, 3]],
            "device_index": ["list_int", [1] * 4],
        },
    }
)
PARAMS = {
    "n1": np.array(7, "int64"),
    "k0": np.array([1.5, -2.0], "float32"),
    "flags": np.array([True, False, True]),
}
FACTORY = blob(("GraphExecutorFactory", factory(GRAPH, PARAMS)), LIB, tree([0, 1, 1], [1]))


# ---------------------------------------------------------------- libraries that carry them


def compile_blob(content, directory, name="embedded", *options, source="embedded.c"):
    listing = directory / f"{name}.inc"
    listing.write_text(",".join(map(str, content)) or "0")
    return compile_library(
        SOURCES / source, directory / f"{name}.so", f'-DBLOB="{listing}"', *options
    )


@pytest.fixture
def embed(tmp_path):
    """Return a function that loads a library with that blob, each from a file of its own."""
    made = []

    def load_blob(content):
        made.append(content)
        return load(compile_blob(content, tmp_path, f"embedded{len(made)}"))

    return load_blob


def load(path):
    tvmgo._native.locate.load()
    return tvmgo.get_global_function("ffi.Module.load_from_file.so")(str(path), "so")


class Patched:
    """A compiled library whose blob is replaced by others of at most the same length."""

    def __init__(self, content, directory):
        self.path = compile_blob(content, directory)
        self.file = self.path.read_bytes()
        self.at = self.file.index(content)
        self.size = len(content)
        self.loader = tvmgo.get_global_function("tvmgo.load_classic_library")

    def load(self, content):
        assert len(content) <= self.size
        self.path.unlink()  # a new file, in case the old one is still in memory
        self.path.write_bytes(self.file[: self.at] + content + self.file[self.at + len(content) :])
        return self.loader(str(self.path))


@pytest.fixture
def patched(tmp_path):
    tvmgo._native.locate.load()
    return lambda content: Patched(content, tmp_path)


# ---------------------------------------------------------------- factories


def run(executor, x=(1, 2)):
    executor["set_input"]("x", tvmgo.array(np.array(x, "float32")))
    executor["run"]()
    return np.asarray(executor["get_output"](0)).tolist()


@pytest.mark.parametrize("key", ["GraphExecutorFactory", "GraphRuntimeFactory"])
def test_factory_makes_an_executor_with_its_parameters(embed, key):
    module = embed(blob((key, factory(GRAPH, PARAMS)), LIB, tree([0, 1, 1], [1])))
    assert module.kind == "GraphExecutorFactory"
    assert [imported.kind for imported in module.imports] == ["classic_library"]
    executor = module["default"](tvmgo.cpu(0))
    assert executor.kind == "GraphExecutor"
    assert run(executor) == [6.25, 0.0]


def test_factory_makes_independent_executors(embed):
    module = embed(FACTORY)
    first, second = module["default"](tvmgo.cpu(0)), module["default"](tvmgo.cpu(0))
    first["set_input"]("k0", tvmgo.array(np.zeros(2, "float32")))
    assert run(first) == [1, 4]
    assert run(second) == [6.25, 0]


def test_factory_tells_what_it_has(embed):
    module = embed(FACTORY)
    assert module["get_graph_json"]() == GRAPH
    params = module["get_graph_params"]()
    assert {name: np.asarray(value).tolist() for name, value in params.items()} == {
        name: value.tolist() for name, value in PARAMS.items()
    }
    assert {name: str(value.dtype) for name, value in params.items()} == {
        "n1": "int64",
        "k0": "float32",
        "flags": "bool",
    }


def test_factory_without_parameters(embed):
    bare = embed(FACTORY)["remove_params"]()
    assert bare.kind == "GraphExecutorFactory"
    assert bare["get_graph_params"]() == {}
    executor = bare["default"](tvmgo.cpu(0))
    executor["set_input"]("k0", tvmgo.array(PARAMS["k0"]))
    assert run(executor) == [6.25, 0]


def test_model_may_have_any_name(embed):
    module = embed(
        blob(("GraphExecutorFactory", factory(GRAPH, {}, "my model")), LIB, tree([0, 1, 1], [1]))
    )
    assert "default" not in module
    assert module["my model"](tvmgo.cpu(0)).kind == "GraphExecutor"


def test_operators_of_a_factory_are_its_import_s(embed):
    module = embed(FACTORY)
    assert "kadd" in module
    with pytest.raises(KeyError):
        module.get_function("kadd", query_imports=False)
    assert "get_no_such_thing" not in module


def test_factory_makes_the_other_variants(embed):
    module = embed(FACTORY)
    assert run(module["debug_create"]("default", tvmgo.cpu(0))) == [6.25, 0.0]
    if "device_api.cuda" not in tvmgo.list_global_functions():
        with pytest.raises(tvmgo.TVMError, match="CUDA"):
            module["cuda_graph_create"](tvmgo.cpu(0))
    with pytest.raises(ValueError, match='debug_create: argument 0 .*"default", got "other"'):
        module["debug_create"]("other", tvmgo.cpu(0))


@pytest.mark.parametrize(
    "name, args, words",
    [
        ("default", (), "expected 1 or more arguments, got 0"),
        ("default", (1, 0), "expected a device"),
        ("get_graph_json", (1,), "expected 0 arguments"),
        ("debug_create", (tvmgo.cpu(0),), "expected 2"),
        ("debug_create", (1, tvmgo.cpu(0)), "expected a string"),
    ],
    ids=str,
)
def test_wrong_arguments_are_named(embed, name, args, words):
    with pytest.raises(TypeError, match=words):
        embed(FACTORY)[name](*args)


def test_factory_outlives_its_name(embed):
    create = embed(FACTORY)["default"]
    executor = create(tvmgo.cpu(0))
    del create
    assert run(executor) == [6.25, 0]


# ---------------------------------------------------------------- trees


CONSTANTS = {"c0": np.array([1, 2], "int32"), "c1": np.array([True, False])}


@pytest.mark.parametrize("key", ["const_loader", "metadata"])
def test_constants_are_handed_over_once(embed, key):
    module = embed(
        blob(
            (key, constants(CONSTANTS, {"with_constants": ["c1", "c0"]})), LIB, tree([0, 1, 1], [1])
        )
    )
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
        blob(
            ("const_loader", constants(CONSTANTS, {"never": ["c0"], "nobody": []})),
            LIB,
            tree([0, 1, 1], [1]),
        )
    )
    for _ in range(2):
        with pytest.raises(tvmgo.TVMError, match="^__init_never said no$"):
            module["never"]
    with pytest.raises(tvmgo.TVMError, match="no imported module has the function __init_nobody"):
        module["nobody"]


def test_initialiser_that_answers_with_a_code_of_failure(embed):
    module = embed(
        blob(("const_loader", constants(CONSTANTS, {"coded": ["c0"]})), LIB, tree([0, 1, 1], [1]))
    )
    for _ in range(2):
        with pytest.raises(tvmgo.TVMError, match="^__init_coded failed with code 3$"):
            module["coded"]


def test_initialiser_that_answers_with_something_else_is_refused(embed):
    module = embed(
        blob(("const_loader", constants(CONSTANTS, {"wrongly": ["c0"]})), LIB, tree([0, 1, 1], [1]))
    )
    with pytest.raises(TypeError, match="^__init_wrongly: expected a code or None, got float$"):
        module["wrongly"]


def test_initialiser_that_looks_its_own_symbol_up(embed):
    module = embed(
        blob(
            (
                "const_loader",
                constants(CONSTANTS, {"in_circles": ["c0"], "with_constants": ["c1"]}),
            ),
            LIB,
            tree([0, 1, 1], [1]),
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
        embed(
            blob(
                ("const_loader", constants(CONSTANTS, {"never": ["c9"]})), LIB, tree([0, 1, 1], [1])
            )
        )


def test_tree_of_several_levels(embed):
    # factory -> metadata_module -> const_loader -> library, and the factory imports the library
    module = embed(
        blob(
            ("GraphExecutorFactory", factory(GRAPH, PARAMS)),
            LIB,
            ("metadata_module", b""),
            ("const_loader", constants({}, {})),
            tree([0, 2, 2, 3, 4], [1, 2, 3, 1]),
        )
    )
    kinds = [imported.kind for imported in module.imports]
    assert kinds == ["classic_library", "metadata_module"]
    assert [imported.kind for imported in module.imports[1].imports] == ["const_loader"]
    assert run(module["default"](tvmgo.cpu(0))) == [6.25, 0]


def test_library_as_the_root_looks_into_its_imports(embed):
    module = embed(blob(LIB, ("GraphExecutorFactory", factory(GRAPH, {})), tree([0, 1, 1], [1])))
    assert module.kind == "classic_library"
    assert module["call_import"]("get_graph_json") == GRAPH


def test_library_called_by_another_looks_into_its_own_imports(embed):
    graphs = [GRAPH, GRAPH.replace("square", "other")]
    mine, other = (
        embed(blob(LIB, ("GraphExecutorFactory", factory(graph, {})), tree([0, 1, 1], [1])))
        for graph in graphs
    )
    assert mine["call_at"](other["address"](), "get_graph_json") == graphs[1]
    assert mine["call_import"]("get_graph_json") == graphs[0]


def test_modules_without_a_tree_are_imports_of_the_library(embed):
    module = embed(blob(("GraphRuntimeFactory", factory(GRAPH, {})), ("metadata_module", b"")))
    assert module.kind == "classic_library"
    assert [imported.kind for imported in module.imports] == [
        "GraphExecutorFactory",
        "metadata_module",
    ]
    assert module["call_import"]("get_graph_json") == GRAPH
    assert embed(blob(LIB)).imports == []
    assert embed(blob()).imports == []


def test_system_library_has_its_tree(tmp_path):
    path = compile_blob(FACTORY, tmp_path, "system", "-DSYSTEM_LIB")
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


def test_system_libraries_look_into_their_own_imports(tmp_path):
    graphs, paths = {}, []
    for prefix in ("mine_", "theirs_"):
        graphs[prefix] = GRAPH.replace("square", prefix)
        content = blob(
            LIB, ("GraphExecutorFactory", factory(graphs[prefix], {})), tree([0, 1, 1], [1])
        )
        paths.append(
            str(
                compile_blob(
                    content,
                    tmp_path,
                    prefix,
                    "-DSYSTEM_LIB",
                    f'-DPREFIX="{prefix}"',
                    f'-DCONTEXT_PREFIX="{prefix}"',
                    source="imports.c",
                )
            )
        )
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


def test_same_file_twice_has_two_trees(tmp_path):
    path = compile_blob(FACTORY, tmp_path)
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
        embed(blob(("metadata_module", b""), LIB, tree(rows, children)))


def test_tree_with_no_place_or_two_for_the_library(embed):
    for entries in ([("metadata_module", b"")], [LIB, LIB]):
        rows = [0] * (len(entries) + 1)
        with pytest.raises(ValueError, match="one place for the library"):
            embed(blob(*entries, tree(rows, [])))


def test_deep_tree(embed):
    depth = 2000
    entries = [("metadata_module", b"")] * depth + [
        LIB,
        tree([*range(depth + 1), depth], range(1, depth + 1)),
    ]
    module = embed(blob(*entries))
    for _ in range(depth):
        module = module.imports[0]
    assert module.kind == "classic_library"


# ---------------------------------------------------------------- modules of others


def test_module_without_a_loader_is_named(embed):
    with pytest.raises(
        tvmgo.TVMError,
        match="Binary was created using tests_kind but a loader of that name is not registered",
    ):
        embed(blob(("tests_kind", b"123"), LIB, tree([0, 1, 1], [1])))
    with pytest.raises(tvmgo.TVMError, match=r"using \?\?x{58}\.\.\. but"):
        embed(blob((b"\0\xff" + b"x" * 1000, b"")))


@pytest.mark.parametrize(
    "key, reason",
    [
        ("AotExecutorFactory", "ahead-of-time executor ended"),
        ("VMExecutable", "virtual machine ended"),
        ("stackvm", "stack machine"),
    ],
)
def test_module_of_a_kind_that_is_gone_says_why(embed, key, reason):
    with pytest.raises(tvmgo.TVMError, match=f"module of kind {key}, which cannot run.*{reason}"):
        embed(blob((key, b"123"), LIB, tree([0, 1, 1], [1])))


def test_external_library_is_given_to_its_loader(tmp_path):
    payload = text("symbol") + text("{}") + texts(["c0", "c1"])
    path = compile_blob(blob(("tests_json", payload), LIB, tree([0, 1, 1], [1])), tmp_path)
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
def test_device_code_is_given_in_today_s_form(tmp_path, key, loader):
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
    path = compile_blob(blob(LIB, (key, payload), tree([0, 1, 1], [1])), tmp_path)
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


CUDA_LIBRARY = blob(LIB, ("cuda", text("ptx") + number(0) + text("code")), tree([0, 1, 1], [1]))


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


def test_cuda_s_part_of_the_runtime_is_loaded_for_a_library_with_cuda_code(tmp_path):
    tvmgo._native.locate.load()
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    (runtime / "libtvm_runtime.so").symlink_to(tvmgo._native.locate.libraries()["tvm_runtime"])
    path = compile_blob(CUDA_LIBRARY, tmp_path)
    missing = "using cuda but a loader of that name is not registered; it is in libtvm_runtime_cuda"
    assert missing in load_beside(runtime, path)
    companion = runtime / "libtvm_runtime_cuda.so"
    companion.write_text("no library")
    assert missing in load_beside(runtime, path)
    compile_library(SOURCES / "companion.c", companion)
    assert load_beside(runtime, path) == ("classic_library tvm_ffi tvm_runtime tvm_runtime_cuda\n")
    other = compile_blob(FACTORY, tmp_path, "without")
    assert load_beside(runtime, other) == "GraphExecutorFactory tvm_ffi tvm_runtime\n"


# ---------------------------------------------------------------- wrong bytes

EVERYTHING = blob(
    ("GraphExecutorFactory", factory(GRAPH, PARAMS)),
    LIB,
    ("metadata_module", b""),
    ("const_loader", constants(CONSTANTS, {"with_constants": ["c1", "c0"]})),
    tree([0, 2, 2, 3, 4], [1, 2, 3, 1]),
)


def test_blob_cut_short_at_any_byte(patched):
    library = patched(EVERYTHING)
    assert library.load(EVERYTHING).kind == "GraphExecutorFactory"
    content = EVERYTHING[8:]
    for size in range(len(content)):
        with pytest.raises(ValueError, match="embedded modules"):
            library.load(number(size) + content[:size])


def lengths(content):
    """Where a number stands that could be a length."""
    return [
        at
        for at in range(len(content) - 7)
        if struct.unpack_from("<Q", content, at)[0] in range(1, len(content) + 1)
    ]


def test_any_length_changed(patched):
    library = patched(EVERYTHING)
    memory = resident_bytes()
    for at in [0, *lengths(EVERYTHING)]:
        value = struct.unpack_from("<Q", EVERYTHING, at)[0]
        for changed in {0, 1, value - 1, value + 1, value * 2, 2**31, 2**32, 2**40, 2**63, -1}:
            content = EVERYTHING[:at] + number(changed) + EVERYTHING[at + 8 :]
            try:
                library.load(content)  # some are no lengths, and some say the same in another way
            except tvmgo.TVMError:
                pass
    assert resident_bytes() - memory < 1 << 30


@pytest.mark.parametrize(
    "changed", [0, 5, len(FACTORY) - 9, len(FACTORY) - 7, len(FACTORY), 2**40, 2**63, 2**64 - 1]
)
def test_length_of_the_whole_changed(patched, changed):
    with pytest.raises(ValueError, match="embedded modules"):
        patched(FACTORY).load(number(changed) + FACTORY[8:])


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(magic=1), "the tensor magic"),
        (dict(device=2), "a CPU tensor"),
        (dict(ndim=-1), "dimensions"),
        (dict(ndim=2**31 - 1), "dimensions"),
        (dict(code=6), "element type"),
        (dict(code=7), "element type"),
        (dict(bits=0), "whole bytes"),
        (dict(lanes=0), "one lane"),
        (dict(lanes=4), "one lane"),
        (dict(dim=-1), "shape"),
        (dict(dim=2**62), "shape"),
        (dict(dim=2**40), "data length"),
        (dict(nbytes=7), "data length"),
        (dict(nbytes=-8), "data length"),
        (dict(bits=2), "whole bytes"),
        (dict(code=4, bits=3), "whole bytes"),
        (dict(code=5, bits=1), "whole bytes"),
    ],
    ids=str,
)
def test_wrong_tensor(embed, change, words):
    fields = dict(magic=TENSOR_MAGIC, device=1, ndim=1, code=2, bits=32, lanes=1, dim=2, nbytes=8)
    fields.update(change)
    record = struct.pack(
        "<QQiiiBBHqq",
        fields["magic"],
        5,
        fields["device"],
        3,
        fields["ndim"],
        fields["code"],
        fields["bits"],
        fields["lanes"],
        fields["dim"],
        fields["nbytes"],
    ) + bytes(8)
    payload = text("{}") + number(1) + texts(["p"]) + record + text("default")
    with pytest.raises(ValueError, match=words):
        embed(blob(("GraphExecutorFactory", payload), LIB, tree([0, 1, 1], [1])))


def test_numbers_that_do_not_agree(embed):
    one = {"k0": PARAMS["k0"]}
    graph = factory("{}", one).replace(number(2) + b"{}" + number(1), number(2) + b"{}" + number(2))
    with pytest.raises(ValueError, match="expected as many names as parameters"):
        embed(blob(("GraphExecutorFactory", graph), LIB, tree([0, 1, 1], [1])))
    names, tensors, symbols = texts(["c0"]), number(1) + tensor(np.array([1, 2])), texts(["coded"])
    lists = number(1) + texts(["c0"])
    for content, words in [
        (names + number(2) + tensors[8:] + symbols + lists, "tensors as names"),
        (names + tensors + symbols + number(2) + lists[8:], "lists of constants as symbols"),
    ]:
        with pytest.raises(ValueError, match=f"expected as many {words}"):
            embed(blob(("const_loader", content), LIB, tree([0, 1, 1], [1])))


def test_bytes_after_the_last_module_are_refused(embed):
    content = FACTORY[8:] + b"\0"
    with pytest.raises(ValueError, match="the end of the embedded modules"):
        embed(number(len(content)) + content)


def test_two_trees_are_refused(embed):
    with pytest.raises(ValueError, match="only one import tree"):
        embed(blob(LIB, tree([0, 0], []), tree([0, 0], [])))


def test_random_changes(patched):
    library = patched(EVERYTHING)
    source = random.Random(7)
    for _ in range(4000):
        content = bytearray(EVERYTHING)
        for _ in range(source.choice([1, 1, 2, 5])):
            at = source.randrange(len(content))
            kind = source.randrange(4)
            if kind == 0:
                content[at] = source.randrange(256)
            elif kind == 1:
                content[at : at + 8] = number(source.choice([0, 1, 2**32, 2**63, 2**64 - 1]))
            elif kind == 2:
                del content[at : at + source.randrange(9)]
            else:
                content[at] ^= 1 << source.randrange(8)
        try:
            library.load(bytes(content[: len(EVERYTHING)]))
        except tvmgo.TVMError:
            pass
