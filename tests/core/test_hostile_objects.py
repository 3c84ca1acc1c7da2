# SPDX-License-Identifier: Apache-2.0
"""Nothing that Python code does to objects, or by objects that lie, crashes the process.

Each script runs in its own process, because a crash is what it looks for. It ends by printing
"alive"; exceptions on the way are fine unless a script says which.
"""

import pytest

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
