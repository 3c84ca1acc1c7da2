# SPDX-License-Identifier: Apache-2.0
"""Nothing that Python code can do, short of ctypes, crashes the process.

Each script runs in its own process, because a crash is what it looks for. It ends by printing
"alive"; exceptions on the way are fine unless a script says which.
"""

import pytest

from tests.helpers import ForkServer

SETUP = """
import copy, copyreg, pickle, types
from unittest import mock
import numpy as np
import tvmgo

kernels = tvmgo.load_module({path!r})
identity = tvmgo.convert_function(lambda x: x)
THINGS = dict(
    array=tvmgo.array([1, 2, 3]), function=identity, module=kernels,
    value=tvmgo.Value("a longer text"), device=tvmgo.cuda(1), dtype=tvmgo.DType("int8"),
    bytes=tvmgo.ByteArray(b"some bytes"), pointer=kernels["give"](4),
    object=tvmgo.get_global_function("ffi.GetInvalidObject")(), error=tvmgo.TVMError("text"),
)
CLASSES = [type(x) for x in THINGS.values()]

def tried(call, *args, **kwargs):
    "What a call raises, or None."
    try:
        call(*args, **kwargs)
    except Exception as error:
        return error

def use(x):
    "Everything one can do with an object."
    tried(repr, x), tried(str, x), tried(lambda: x == x)
    names = []
    tried(lambda: names.extend(dir(x)))
    for name in names:
        if name not in ("__init_subclass__", "__subclasshook__", "__class__", "__call__"):
            tried(lambda: getattr(x, name)())
    tried(identity, x), tried(identity, [x]), tried(kernels["echo"], x), tried(tvmgo.Value, x)
    tried(tvmgo.array, x)
    tried(tvmgo.from_dlpack, x), tried(tvmgo.ByteArray, x), tried(tvmgo.DType, x)
    tried(tvmgo.Device, x)
    tried(tvmgo.empty(3).copy_from, x), tried(tvmgo.empty(3).copy_to, x), tried(memoryview, x)
    tried(np.asarray, x)
    tried(pickle.dumps, x), tried(copy.copy, x), tried(len, x), tried(iter, x), tried(hash, x)
    tried(bytes, x)
"""


@pytest.fixture(scope="module")
def survive(kernels_path, tmp_path_factory):
    """Return a function that runs a script and fails if it crashes or an assertion in it fails."""
    server = ForkServer(SETUP.format(path=str(kernels_path)), tmp_path_factory.mktemp("hostile"))

    def run(script):
        code, output = server.run(script + "\nprint('alive')")
        assert (code, output[-6:]) == (0, "alive\n"), output

    yield run
    server.close()


# ---------------------------------------------------------------- instances that were never filled


@pytest.mark.parametrize(
    "make",
    [
        "cls()",
        "cls(1)",
        "cls(None, None)",
        "cls(**{'x': 1})",
        "cls.__new__(cls)",
        "object.__new__(cls)",
        "tvmgo.Object.__new__(cls)",
        "cls.__base__.__new__(cls)",
        "copyreg.__newobj__(cls)",
        "copyreg._reconstructor(cls, object, None)",
        "copyreg._reconstructor(cls, cls.__base__, None)",
        "copy.copy(cls.__new__)()",
        "type.__call__(cls)",
        "cls.__reduce_ex__(2)",
        "types.new_class('Sub', (cls,))()",
        "type('Sub', (cls,), dict(__init__=lambda self: None))()",
        "type('Sub', (cls, int), {{}})()",
        "type('Sub', (cls,), dict(__slots__=('a',)))()",
        "mock.create_autospec(cls)()",
        "mock.Mock(spec=cls)",
        "mock.MagicMock(spec=cls)()",
        "tvmgo.Value.__base__.__new__(cls)",
        "tvmgo.Value.__base__()",
        "BaseException.__new__(cls)",
        "dict.__new__(cls)",
    ],
    ids=lambda make: make.replace("{{}}", "{}"),
)
def test_instance_made_by_a_detour_is_refused_or_harmless(survive, make):
    survive(f"""
for cls in CLASSES:
    made = []
    tried(lambda: made.append({make.replace("{{}}", "{}")}))
    for x in made:
        use(x)
""")


def test_instance_of_a_sealed_class_cannot_be_made(survive):
    survive("""
for cls in (tvmgo.Array, tvmgo.Function, tvmgo.Module, tvmgo.Object, tvmgo.Pointer):
    assert isinstance(tried(cls), TypeError), cls
    assert isinstance(tried(cls.__new__, cls), TypeError), cls
    assert isinstance(tried(object.__new__, cls), TypeError), cls
    assert isinstance(tried(type, "Sub", (cls,), {}), TypeError), cls
""")


def test_second_init_is_refused_or_harmless(survive):
    survive("""
for x in THINGS.values():
    for arguments in [(), (1,), ("int8",), (b"other bytes",), (None,), (x,)]:
        tried(x.__init__, *arguments)
        tried(type(x).__init__, x, *arguments)
        use(x)
""")


def test_second_init_of_a_value_does_not_pull_the_memory_from_under_a_running_call(survive):
    survive("""
text = "x" * 1000
for _ in range(100):
    value = tvmgo.Value(text + str(_))
    expected = sum((text + str(_)).encode())
    def change():
        tried(value.__init__, 5)
        junk = [tvmgo.Value("y" * (900 + i)) for i in range(200)]
    assert kernels["call_then_byte_sum"](change, value) == expected
""")


def test_second_init_of_a_byte_array_does_not_pull_the_memory_from_under_a_running_call(survive):
    survive("""
for _ in range(100):
    shared = tvmgo.ByteArray(bytes([7]) * 1000)
    def change():
        tried(shared.__init__, b"")
        junk = [bytes([9]) * (900 + i) for i in range(200)]
    assert kernels["call_then_byte_sum"](change, shared) == 7000
""")


def test_deleting_what_a_running_call_uses_is_harmless(survive):
    survive("""
import gc
for make in (lambda: "t" * 1000, lambda: bytes(1000), lambda: tvmgo.Value("t" * 1000),
             lambda: tvmgo.ByteArray(bytes(1000)), lambda: ["t" * 1000], lambda: "nul\\0" * 100,
             lambda: bytearray(1000)):
    holder = [make()]
    def drop():
        holder.clear()
        gc.collect()
        junk = [bytes([9]) * (900 + i) for i in range(200)]
    kernels["call_then_byte_sum"](drop, holder[0])
    holder = {"f": tvmgo.convert_function(lambda: (holder.clear(), gc.collect(), "still here")[2])}
    assert holder["f"]() == "still here"
""")


# ---------------------------------------------------------------- methods on the wrong objects


def test_methods_called_on_other_objects_raise_type_error(survive):
    survive("""
strangers = [None, 5, "text", object(), [], {}, np.zeros(3), type, print, *THINGS.values()]
for owner in CLASSES:
    if issubclass(owner, BaseException):
        continue
    for name, method in list(vars(owner).items()) + [(n, getattr(owner, n)) for n in dir(owner)]:
        if name in ("__init_subclass__", "__subclasshook__", "__class__", "__doc__", "__module__",
                    "__new__", "__dict__"):
            continue
        for stranger in strangers:
            if isinstance(stranger, owner):
                continue
            if name in vars(owner) and callable(method):
                for arguments in [(), (stranger,), (1, 2), ("name",)]:
                    error = tried(method, stranger, *arguments)
                    assert error is not None, (owner, name, stranger)
            get = getattr(type(method), "__get__", None)
            if get is not None:
                bound = []
                tried(lambda: bound.append(get(method, stranger, type(stranger))))
                for x in bound:
                    if callable(x) and name in vars(owner):
                        tried(x), tried(x, 1), tried(x, stranger)
            if hasattr(type(method), "__set__"):
                tried(type(method).__set__, method, stranger, 1)
""")


@pytest.mark.parametrize(
    "call",
    [
        "tvmgo.Array.numpy(5)",
        "tvmgo.Array.numpy('text')",
        "tvmgo.Array.as_slice(object())",
        "tvmgo.Array.copy_from(5, 3)",
        "tvmgo.Array.copy_to(identity, tvmgo.empty(3))",
        "tvmgo.Array.__dlpack__(5)",
        "tvmgo.Array.__dlpack_device__(5)",
        "tvmgo.Array.__array__(5)",
        "tvmgo.Array.__reduce__(5)",
        "tvmgo.Function.invoke(5)",
        "tvmgo.Function.invoke(tvmgo.empty(1), 1)",
        "tvmgo.Function.__call__(5)",
        "tvmgo.Module.get_function(5, 'nargs')",
        "tvmgo.Module.__getitem__(5, 'nargs')",
        "tvmgo.Module.__contains__(5, 'nargs')",
        "tvmgo.Module.__call__(5)",
        "tvmgo.Value.as_int64(5)",
        "tvmgo.Value.as_str(object())",
        "tvmgo.Value.to_python('text')",
        "tvmgo.Value.as_bytes(identity)",
        "tvmgo.Device.__reduce__(5)",
        "tvmgo.DType.__reduce__(5)",
        "tvmgo.ByteArray.__bytes__(5)",
        "tvmgo.ByteArray.__len__(5)",
        "tvmgo.Array.__tvm_ffi_object__(5)",
        "tvmgo.Array.numpy()",
        "tvmgo.Object.__repr__(5)",
        "tvmgo.Object.__eq__(5, 5)",
        "tvmgo.Object.__hash__(5)",
        "tvmgo.Array.shape.__get__(5)",
        "tvmgo.Array.dtype.__get__(identity)",
        "tvmgo.Module.kind.__get__(tvmgo.empty(1))",
        "tvmgo.Pointer.address.__get__(5)",
        "tvmgo.Value.type_code.__get__(5)",
        "tvmgo.Module.imports.__get__(identity)",
    ],
)
def test_method_called_on_another_object_raises_type_error(survive, call):
    survive(f"""
error = tried(lambda: {call})
assert isinstance(error, TypeError), repr(error)
""")


@pytest.mark.parametrize(
    "name",
    ["array", "function", "module", "value", "device", "dtype", "bytes", "pointer", "object"],
)
def test_class_of_an_instance_cannot_be_replaced(survive, name):
    survive(f"""
x = THINGS[{name!r}]
for cls in CLASSES + [int, object, type("Empty", (), {{}}), type("Slots", (), dict(__slots__=()))]:
    if cls is not type(x):
        assert tried(setattr, x, "__class__", cls) is not None, cls
use(x)
""")


def test_class_attributes_cannot_be_replaced(survive):
    survive("""
for cls in CLASSES:
    if not issubclass(cls, BaseException):
        for name in ("__init__", "__new__", "__del__", "numpy", "invoke", "new_name", "__class__",
                     "__bases__"):
            assert isinstance(tried(setattr, cls, name, lambda *args: None),
                              (TypeError, AttributeError)), (cls, name)
""")


# ---------------------------------------------------------------- objects that lie


def test_objects_that_claim_to_be_of_our_classes_are_refused_or_harmless(survive):
    survive("""
import tvm_ffi
OTHERS = [str, bytes, bytearray, memoryview, list, tuple, dict, int, float, bool, BaseException,
          ValueError, np.ndarray, np.bool_, type(None), type, tvm_ffi.Tensor, tvm_ffi.Function,
          tvm_ffi.core.Object, tvm_ffi.Device, tvmgo.Value.__base__]
for cls in CLASSES + OTHERS:
    class Liar:
        __class__ = property(lambda self: cls)
    use(Liar())
    use(mock.Mock(spec=cls))
    use(mock.NonCallableMock(spec=cls))
""")


@pytest.mark.parametrize(
    "cls",
    ["Array", "Function", "Module", "Object", "Value", "Device", "DType", "ByteArray", "Pointer"],
)
def test_object_that_claims_to_be_of_our_class_is_refused(survive, cls):
    survive(f"""
class Liar:
    __class__ = property(lambda self: tvmgo.{cls})
assert isinstance(Liar(), tvmgo.{cls})
assert isinstance(tried(identity, Liar()), TypeError)
assert isinstance(tried(tvmgo.Value, [Liar()]), TypeError)
""")


def test_exception_that_is_none_is_refused(survive):
    survive("""
class Liar:
    __class__ = property(lambda self: ValueError)
    __traceback__ = None
x = []
tried(lambda: x.append(identity(Liar())))
for error in x:
    tried(lambda: (_ for _ in ()).throw(error))
""")


@pytest.mark.parametrize(
    "protocol",
    [
        "__index__",
        "__float__",
        "__dlpack__",
        "__dlpack_device__",
        "__fspath__",
        "__call__",
        "__len__",
        "__iter__",
        "__array__",
        "__bool__",
        "__hash__",
        "__eq__",
        "__str__",
        "__repr__",
        "__bytes__",
        "__buffer__",
        "__getattr__",
        "__getattribute__",
        "__array_interface__",
        "__tvm_ffi_object__",
        "__c_dlpack_exchange_api__",
        "__tvm_ffi_value__",
        "__del__",
        "__enter__",
        "__int__",
        "__complex__",
        "__cuda_stream__",
    ],
)
def test_protocol_that_returns_nonsense_raises_or_is_harmless(survive, protocol):
    survive(f"""
class Own(BaseException):
    pass
def raiser(error):
    def method(self, *args, **kwargs):
        raise error
    return method
for answer in [None, 5, -1, 2**70, 2.5, "text", b"bytes", [], (), (1,), (1, 2), (None, None), {{}},
               object(), type, print, np.zeros(3), float("nan"), tvmgo.empty(1),
               tvmgo.empty(1).__dlpack__(), Ellipsis, NotImplemented]:
    use(type("Strange", (), {{{protocol!r}: lambda self, *args, **kwargs: answer}})())
    use(type("Static", (), {{{protocol!r}: answer}})())
for error in [ValueError("x"), TypeError("x"), KeyError("x"), AttributeError("x"),
              RecursionError("x"), MemoryError(), StopIteration()]:
    try:
        use(type("Raising", (), {{{protocol!r}: raiser(error)}})())
    except Exception:
        pass
""")


@pytest.mark.parametrize(
    "protocol, call",
    [
        ("__index__", "identity(x)"),
        ("__index__", "tvmgo.empty(x)"),
        ("__index__", "tvmgo.cpu(x)"),
        ("__float__", "identity(x)"),
        ("__dlpack__", "tvmgo.from_dlpack(x)"),
        ("__dlpack__", "identity(x)"),
        ("__dlpack_device__", "tvmgo.Device(x)"),
        ("__fspath__", "tvmgo.load_module(x)"),
        ("__iter__", "tvmgo.empty(x)"),
        ("__call__", "tvmgo.convert_function(x)()"),
    ],
)
def test_protocol_that_raises_base_exceptions_raises_the_same(survive, protocol, call):
    survive(f"""
class Own(BaseException):
    pass
for error in (Own("mine"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()):
    def method(self, *args, **kwargs):
        raise error
    x = type("Raising", (), {{{protocol!r}: method}})()
    try:
        {call}
    except BaseException as caught:
        assert caught is error, repr(caught)
    else:
        raise AssertionError("nothing was raised")
""")


def test_class_with_dynamic_attributes_is_refused_or_harmless(survive):
    survive("""
class Everything:
    def __getattr__(self, name):
        return lambda *args, **kwargs: self
class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__") and name not in ("__dlpack__", "__index__", "__float__",
                                                  "__dlpack_device__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: 5
class ByMeta(metaclass=Meta):
    pass
class Failing(type):
    def __getattribute__(cls, name):
        raise KeyError(name)
class ByFailing(metaclass=Failing):
    pass
for x in (Everything(), ByMeta(), Everything, ByMeta, types.SimpleNamespace(__dlpack__=5),
          mock.MagicMock()):
    use(x)
tried(identity, ByFailing())
""")


def test_class_that_changes_while_it_is_looked_at_is_harmless(survive):
    survive("""
for before, after in [("__index__", "__float__"), ("__float__", "__index__"),
                      ("__dlpack__", "__index__"), ("__call__", "__index__")]:
    cls = type("Changing", (type("First", (), {}),), {before: lambda self, *args, **kwargs: 5})
    tried(identity, cls())
    delattr(cls, before)
    setattr(cls, after, lambda self: 5)
    tried(identity, cls())
    cls.__bases__ = (type("Base", (), {}),)
    tried(identity, cls())
""")


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
