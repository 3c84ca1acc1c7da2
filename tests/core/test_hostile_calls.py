# SPDX-License-Identifier: Apache-2.0
"""Nothing that Python code does by calls, memory and pickles crashes the process.

Each script runs in its own process, because a crash is what it looks for. It ends by printing
"alive"; exceptions on the way are fine unless a script says which.
"""

import pytest

# ---------------------------------------------------------------- memory


@pytest.mark.parametrize(
    "change",
    [
        "source.resize(10_000_000, refcheck=False)",
        "source.setflags(write=False)",
        "del source",
        "np.ndarray.__setstate__",
        "source.sort()",
    ],
)
def test_ndarray_that_changes_during_a_call_is_harmless(survive, change):
    if "refcheck=False" in change:
        # NumPy says that without its check this is unsafe.
        change = "tried(source.resize, 10_000_000)"
    survive(f"""
source = np.arange(10_000.0)
def callback(x):
    global source
    {change}
    return float(np.asarray(x).sum())
assert identity is not None
assert tvmgo.convert_function(callback)(source) == np.arange(10_000.0).sum()
""")


def test_bytearray_and_mmap_cannot_shrink_while_shared(survive):
    survive("""
import mmap
data = bytearray(100)
shared = tvmgo.ByteArray(data)
assert isinstance(tried(data.clear), BufferError)
region = mmap.mmap(-1, 4096)
other = tvmgo.ByteArray(region)
assert isinstance(tried(region.close), BufferError)
assert isinstance(tried(region.resize, 8192), (BufferError, SystemError, ValueError))
view = memoryview(bytearray(100))
third = tvmgo.ByteArray(view)
tried(view.release)
assert bytes(third) == bytes(100)
""")


def test_huge_and_strange_shapes_are_refused_or_harmless(survive):
    survive("""
for shape in [(0,) * 64, (0,) * 65, (1,) * 64, (2**62, 2**62, 0), (0, 2**63 - 1),
              (2**63 - 1, 0, 2**63 - 1), (2**31,) * 3, [2**200], [-2**200], range(10**6), [10**18],
              (1,) * 10**6, 10**18, iter(int, 1) and [1] * 100]:
    made = []
    tried(lambda: made.append(tvmgo.empty(shape, "int8")))
    for x in made:
        use(x)
        tried(lambda: tvmgo.array(x)), tried(lambda: np.from_dlpack(x))
        tried(lambda: x.copy_from(x))
for dtype in ("int4", "uint1", "float32x4", "float64x65535", "int1x7", "float4_e2m1fn", "handle",
              "int64x16384", "float6_e2m3fn"):
    for shape in [(), (0,), (1,), (3,), (2, 3), (2**60,), (2**58, 0)]:
        made = []
        tried(lambda: made.append(tvmgo.empty(shape, dtype)))
        for x in made:
            use(x), tried(lambda: tvmgo.array(x)), tried(lambda: x.copy_from(x))
""")


def test_array_of_a_dtype_without_bits_is_harmless(survive):
    survive("""
for code, bits, lanes in [(0, 0, 0), (0, 0, 1), (3, 0, 0), (0, 8, 0), (255, 255, 65535), (2, 1, 1),
                          (5, 8, 1), (6, 255, 1), (2, 136, 1)]:
    dtype = kernels["make_dtype"](code, bits, lanes)
    use(dtype)
    for shape in [(), (0,), (3,), (2**40,)]:
        made = []
        tried(lambda: made.append(tvmgo.empty(shape, dtype)))
        for x in made:
            use(x), tried(lambda: tvmgo.array(x)), tried(lambda: x.copy_from(x))
            tried(lambda: np.from_dlpack(x))
""")


def test_deeply_nested_values_can_be_made_and_dropped(survive):
    survive("""
value = tvmgo.Value([])
error = None
for _ in range(1_000_000):  # each level would cost native stack when it is dropped
    try:
        value = tvmgo.Value([value])
    except (RecursionError, ValueError) as e:
        error = e
        break
tried(value.to_python), tried(repr, value), tried(lambda: value == value)
del value
""")


def test_containers_nested_by_the_runtime_s_own_function_are_refused_in_time(survive):
    survive("""
for name, args in [("ffi.Array", lambda v: [v]), ("ffi.Map", lambda v: ["key", v])]:
    nest = tvmgo.get_global_function(name)
    value, levels = nest.invoke(), 0
    try:
        for levels in range(1_000_000):
            value = nest.invoke(*args(value))
    except ValueError as error:
        assert "nested deeper" in str(error), error
    assert 900 < levels < 1100, levels
    del value
""")


def test_deeply_nested_lists_raise_recursion_error(survive):
    survive("""
deep = []
for _ in range(100_000):
    deep = [deep]
assert isinstance(tried(identity, deep), RecursionError)
assert isinstance(tried(kernels["echo"], {"a": deep}), RecursionError)
while deep:
    deep = deep[0]
""")


def test_deeply_nested_list_in_a_thread_raises_recursion_error(survive):
    survive("""
import threading
deep = []
deep.append(deep)
errors = []
threading.stack_size(512 * 1024)
thread = threading.Thread(target=lambda: errors.append(tried(identity, deep)))
thread.start(), thread.join()
assert isinstance(errors[0], RecursionError)
""")


def test_infinite_recursion_through_callbacks_in_a_thread_raises_recursion_error(survive):
    survive("""
import threading
def again():
    return function()
function = tvmgo.convert_function(again)
errors = []
thread = threading.Thread(target=lambda: errors.append(tried(function)))
thread.start(), thread.join()
assert isinstance(errors[0], RecursionError)
""")


@pytest.mark.parametrize("values", [False, True])
def test_infinite_recursion_without_a_python_function_raises_recursion_error(survive, values):
    # The interpreter counts the calls of its own functions, not those from C to C.
    survive(f"""
import functools
again = functools.partial(print)
function = tvmgo.convert_function(again, values={values})
again.__setstate__((function, (), {{}}, {{}}))
assert isinstance(tried(function), RecursionError)
""")


# ---------------------------------------------------------------- pickles


@pytest.mark.parametrize("name", ["function", "module", "value", "bytes", "pointer", "object"])
def test_pickling_what_cannot_travel_raises_type_error(survive, name):
    survive(f"""
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    assert isinstance(tried(pickle.dumps, THINGS[{name!r}], protocol), TypeError), protocol
assert isinstance(tried(copy.copy, THINGS[{name!r}]), TypeError)
assert isinstance(tried(copy.deepcopy, THINGS[{name!r}]), TypeError)
""")


def test_garbage_pickles_raise_or_are_harmless(survive):
    survive("""
import random
names = [f"tvmgo._core.{module}\\n{cls}" for module, cls in [
    ("array", "Array"), ("function", "Function"), ("module", "Module"), ("value", "Value"),
    ("pointer", "Pointer"), ("handle", "Object"), ("bytearray", "ByteArray"), ("device", "Device"),
    ("dtype", "DType"), ("owned_any", "OwnedAny"), ("prepared", "PreparedCall")]]
for name in names:
    assert isinstance(pickle.loads(b"\\x80\\x04c" + name.encode() + b"\\n."), type)
    for program in [b"(tR.", b")R.", b")\\x81.", b"(tR}b.", b")\\x81}b.",
                    b")\\x81}(X\\x05\\x00\\x00\\x00shapeK\\x01ub.", b"}\\x92.", b"(K\\x01K\\x02tR.",
                    b")\\x81]b."]:
        for x in [data for data in [b"c" + name.encode() + b"\\n" + program] if True]:
            made = []
            tried(lambda: made.append(pickle.loads(b"\\x80\\x04" + x)))
            for thing in made:
                use(thing)
data = pickle.dumps([tvmgo.array([1.5, 2.5]), tvmgo.DType("int8"), tvmgo.cpu(0),
                     tvmgo.TVMError("text")])
rng = random.Random(0)
for _ in range(300):
    broken = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        broken[rng.randrange(2, len(broken))] ^= 1 << rng.randrange(8)
    if b"builtins" not in broken and b"os" not in broken:
        tried(pickle.loads, bytes(broken))
""")


# ---------------------------------------------------------------- the modules' insides


def test_every_public_callable_survives_strange_arguments(survive):
    survive("""
import itertools
strange = [None, True, -1, 2**70, 2.5, "", "text", "nul\\0", "\\udcff", b"", b"bytes", [], [None],
           (), {}, {1}, object(), type, print, np.zeros(3), np.zeros(3)[::2], np.zeros((), "O"),
           *THINGS.values(), int, ValueError("x"), range(3), lambda: None, Ellipsis]
skip = {"system_library", "runtime", "graph_executor"}
before = set(tvmgo.list_global_functions())
for name in tvmgo.__all__:
    x = getattr(tvmgo, name)
    if callable(x) and name not in skip:
        tried(x)
        for argument in strange:
            tried(x, argument)
        if name not in ("remove_global_function",):
            for pair in itertools.product(strange, repeat=2):
                tried(x, *pair)
for name in set(tvmgo.list_global_functions()) - before:
    tried(tvmgo.remove_global_function, name)
""")


def test_every_method_survives_strange_arguments(survive):
    survive("""
strange = [None, True, -1, 2**70, 2.5, "", "text", "nul\\0", "\\udcff", b"", b"bytes", [], [None],
           (), {}, {1}, object(), type, print, np.zeros(3), np.zeros(3)[::2], np.zeros((), "O"),
           *THINGS.values(), int, ValueError("x"), range(3), lambda: None, Ellipsis]
for x in THINGS.values():
    for name in dir(type(x)):
        if name in ("__init_subclass__", "__subclasshook__", "__class__", "__call__", "__new__"):
            continue
        method = getattr(x, name, None)
        if callable(method):
            tried(method)
            for argument in strange:
                tried(method, argument), tried(method, argument, argument)
                tried(method, argument, argument, argument)
                tried(method, x=argument), tried(method, copy=argument)
                tried(method, max_version=argument), tried(method, dl_device=argument)
                tried(method, dtype=argument), tried(method, stream=argument)
""")


def test_removing_the_runtimes_own_functions_is_harmless(survive):
    survive("""
for name in tvmgo.list_global_functions():
    if name not in ("ffi.FunctionRemoveGlobal", "ffi.FunctionListGlobalNamesFunctor"):
        tried(tvmgo.remove_global_function, name)
assert identity([1, {"a": (2, 3)}]) == [1, {"a": [2, 3]}]
assert kernels["sum_ints"](1, 2) == 3 and kernels.imports == []
tried(tvmgo.load_module, "nowhere.so"), tried(tvmgo.empty, 3, "float32", "cuda")
tried(tvmgo.get_global_function, "ffi.Array")
for name in ("ffi.FunctionListGlobalNamesFunctor", "ffi.FunctionRemoveGlobal"):
    tried(tvmgo.remove_global_function, name)
tried(tvmgo.list_global_functions), tried(tvmgo.remove_global_function, "nowhere")
tried(tvmgo.get_global_function, "nowhere")
""")


def test_overriding_the_runtimes_own_functions_is_harmless(survive):
    survive(
        """
for name in tvmgo.list_global_functions():
    for answer in (None, 5, "text"):
        tvmgo.register_function(lambda *args: answer, name, override=True)
        tried(identity, [1, {"a": 2}]), tried(tvmgo.list_global_functions)
        tried(tvmgo.load_module, "nowhere.so")
        tried(tvmgo.remove_global_function, "nowhere"), tried(lambda: kernels["nargs"])
        tried(lambda: kernels.kind)
""".replace(
            "for name in tvmgo.list_global_functions():\n",
            "for name in [n for n in tvmgo.list_global_functions() if n.startswith('ffi.')]:\n",
        )
    )


def test_native_functions_given_wrong_arguments_raise(survive):
    """Not kernels, which trust their arguments: the typed functions of libtvm_ffi itself."""
    survive("""
strange = [None, -1, 2**70, 2.5, "text", b"bytes", [], {}, np.zeros(3), *THINGS.values()]
for name in ["ffi.ArrayGetItem", "ffi.ArraySize", "ffi.MapGetItem", "ffi.MapSize",
             "ffi.ModuleGetFunction", "ffi.ModuleGetKind", "ffi.Map", "ffi.Shape",
             "ffi.ModuleImportModule", "ffi.String", "ffi.Bytes", "runtime.TVMTensorCopyFromTo"]:
    function = tvmgo.get_global_function(name)
    tried(function)
    for x in strange:
        tried(function, x), tried(function, x, x)
""")
