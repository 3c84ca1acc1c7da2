# SPDX-License-Identifier: Apache-2.0
"""What the old compilers are made to build: every kind of network, operator and file.

A case is a function that takes the artifact to be written. One for which this compiler or machine
lacks something raises `Missing`.
"""

import os
import shutil

import numpy as np
import tvm
from artifacts import TARGET, VERSION, build, global_function
from tvm import relay, te
from tvm._ffi.libinfo import find_include_path
from tvm.relay import testing

AVX2 = TARGET + " -mcpu=core-avx2"
TYPES = (
    *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "float32", "float64"),
)
CASES = {}


class Missing(Exception):
    """This compiler, or this machine, cannot build the case."""


def case(function, *arguments):
    """Add a case, once for each set of arguments."""
    name = "-".join([function.__name__, *map(str, arguments)])
    CASES[name] = lambda artifact: function(artifact, *arguments)
    return function


def case_for(*arguments):
    """Add a case for each of these."""

    def decorate(function):
        for argument in arguments:
            case(function, argument)
        return function

    return decorate


# ---------------------------------------------------------------- networks


def network(artifact, workload, target=AVX2):
    mod, params = workload
    artifact.trio(build(mod, params, target))


@case
def mlp(artifact):
    network(artifact, testing.mlp.get_workload(2))


@case
def dqn(artifact):
    network(artifact, testing.dqn.get_workload(1, image_shape=(4, 36, 36)))


@case
def dcgan(artifact):
    network(artifact, testing.dcgan.get_workload(1, ngf=4, random_len=8))


@case
def synthetic(artifact):
    network(artifact, testing.synthetic.get_workload(input_shape=(1, 3, 16, 16)), TARGET)


@case
def resnet(artifact):
    network(artifact, testing.resnet.get_workload(1, 10, 8, image_shape=(3, 28, 28)))


@case
def recurrent(artifact):
    """A cell that runs three times; `relay.testing.lstm` itself TVM 0.19 cannot build."""
    x = relay.var("x", shape=(3, 2, 8))
    w, h = relay.var("w", shape=(16, 16)), relay.const(np.zeros((2, 8), "float32"))
    for step in relay.split(x, 3, axis=0):
        gates = relay.nn.dense(relay.concatenate([relay.squeeze(step, [0]), h], 1), w)
        update, new = relay.split(gates, 2, axis=1)
        update = relay.sigmoid(update)
        h = update * h + (relay.const(1.0) - update) * relay.tanh(new)
    rng = np.random.RandomState(0)
    params = {"w": rng.uniform(-1, 1, (16, 16)).astype("float32")}
    artifact.trio(build(relay.Function([x, w], h), params))


# ---------------------------------------------------------------- operators of all element types


@case_for(*TYPES)
def elementwise(artifact, dtype):
    x, y = (relay.var(name, shape=(3, 5), dtype=dtype) for name in "xy")
    if dtype == "bool":
        outputs = [relay.logical_and(x, y), relay.logical_not(x), relay.logical_xor(x, y)]
    else:
        outputs = [x + y, x * y, x - y, relay.maximum(x, y), relay.less(x, y), relay.divide(x, y)]
    if dtype.startswith("float"):
        outputs += [relay.exp(x), relay.sqrt(relay.abs(x)), relay.erf(y), relay.power(y, y)]
    artifact.trio(build(relay.Function([x, y], relay.Tuple(outputs))))


@case_for(*TYPES)
def layout(artifact, dtype):
    """What moves elements and does not look at them, and conversions to other types."""
    x = relay.var("x", shape=(2, 3, 4), dtype=dtype)
    turned = relay.transpose(x, [2, 0, 1])
    outputs = [
        relay.annotation.stop_fusion(turned),
        relay.concatenate([x, x], 1),
        relay.strided_slice(x, [0, 2, 3], [2, 0, 0], [1, -1, -1]),
        relay.take(x, relay.const(np.array([1, 0, 1])), axis=0),
        relay.reshape(turned, (-1,)),
        relay.cast(x, "float32"),
        relay.cast(x, "int8"),
        relay.where(relay.cast(x, "bool"), x, relay.reverse(x, 2)),
    ]
    artifact.trio(build(relay.Function([x], relay.Tuple(outputs))))


@case_for("int8", "uint8", "int32", "int64", "float16", "float32", "float64")
def reductions(artifact, dtype):
    x = relay.var("x", shape=(4, 7), dtype=dtype)
    outputs = [relay.sum(x, 0), relay.max(x, 1), relay.min(x), relay.argmax(x, 1), relay.prod(x, 1)]
    artifact.trio(build(relay.Function([x], relay.Tuple(outputs)), target=AVX2))


@case_for("int8", "int32", "float32", "float64")
def contractions(artifact, dtype):
    if (VERSION, dtype) == ((0, 16), "int8"):
        raise Missing("the convolution of hhb-tvm 3.2.3 reads memory that nobody has set")
    x, w = relay.var("x", shape=(4, 16), dtype=dtype), relay.var("w", shape=(8, 16), dtype=dtype)
    image = relay.reshape(x, (1, 4, 4, 4))
    kernel = relay.reshape(w, (8, 4, 2, 2))
    wide = "int32" if dtype == "int8" else dtype
    outputs = [
        relay.nn.dense(x, w, out_dtype=wide),
        relay.nn.conv2d(image, kernel, channels=8, kernel_size=(2, 2), out_dtype=wide),
    ]
    artifact.trio(build(relay.Function([x, w], relay.Tuple(outputs)), target=AVX2))


@case
def bfloat16(artifact):
    x = relay.var("x", shape=(3, 5))
    narrow = relay.cast(x, "bfloat16")
    y = relay.cast(relay.annotation.stop_fusion(narrow * narrow), "float32")
    artifact.trio(build(relay.Function([x], y)))


@case
def scalars(artifact):
    """Tensors without dimensions, and with one of no elements."""
    x, n = relay.var("x", shape=()), relay.var("n", shape=(), dtype="int64")
    outputs = [relay.exp(x), n * relay.const(3, "int64"), relay.cast(n, "float32") + x]
    artifact.trio(build(relay.Function([x, n], relay.Tuple(outputs))))


@case
def without_operators(artifact):
    """Outputs that are inputs and constants."""
    x = relay.var("x", shape=(2, 3))
    constant = relay.const(np.arange(4, dtype="int32"))
    artifact.trio(build(relay.Function([x], relay.Tuple([x, constant, relay.exp(x), x]))))


@case
def quantised(artifact):
    x, w = relay.var("x", shape=(2, 8), dtype="uint8"), relay.var("w", shape=(4, 8), dtype="int8")
    scale, zero = relay.const(0.05, "float32"), relay.const(0, "int32")
    y = relay.qnn.op.dense(x, w, relay.const(3, "int32"), zero, scale, scale, units=4)
    y = relay.qnn.op.requantize(y, relay.const(0.0025, "float32"), zero, scale, zero)
    y = relay.qnn.op.dequantize(y, scale, zero)
    artifact.trio(build(relay.Function([x, w], y)))


# ---------------------------------------------------------------- functions of the runtime


@case_for("float32", "float64", "int32", "int64")
def sorting(artifact, dtype):
    x = relay.var("x", shape=(3, 11), dtype=dtype)
    values, indices = relay.topk(x, 4, 1, "both", False, "int64")
    largest, places = relay.topk(x, 3, 0, "both", True, "int32")
    argsort = relay.argsort(x, 1, True, "int32")
    outputs = [values, indices, largest, places, argsort, relay.sort(x, 1), relay.sort(x, 0, False)]
    artifact.trio(build(relay.Function([x], relay.Tuple(outputs))))


@case
def suppression(artifact):
    rng = np.random.RandomState(1)
    corners = rng.uniform(0, 0.6, (1, 20, 2))
    scores = rng.uniform(0, 1, (1, 20, 1))
    boxes = np.concatenate([rng.randint(0, 3, (1, 20, 1)), scores, corners, corners + 0.3], 2)
    x = relay.var("x", shape=boxes.shape)
    count, data, indices = relay.vision.get_valid_counts(x, 0.3)
    kept = relay.vision.non_max_suppression(
        data, count, indices, relay.const(10), 0.5, return_indices=False, invalid_to_bottom=True
    )
    artifact.trio(
        build(relay.Function([x], relay.Tuple([count, data, kept]))),
        {"x": boxes.astype("float32")},
    )


@case
def scan(artifact):
    x = relay.var("x", shape=(4, 33), dtype="int32")
    at = relay.const(np.array([[1, 3], [0, 2]]))
    outputs = [relay.cumsum(x, 1), relay.cumprod(x, 0, "int32", False), relay.gather_nd(x, at)]
    outputs += [relay.scatter_nd(x, at, relay.const(np.array([5, 6], "int32")), "add")]
    artifact.trio(build(relay.Function([x], relay.Tuple(outputs))))


# ---------------------------------------------------------------- the kinds of files


def small():
    """A network with parameters, by now compiled in no time."""
    x, w = relay.var("x", shape=(2, 16)), relay.var("w", shape=(8, 16))
    b = relay.var("b", shape=(8,))
    y = relay.nn.softmax(relay.nn.relu(relay.nn.bias_add(relay.nn.dense(x, w), b)))
    rng = np.random.RandomState(0)
    params = {"w": rng.randn(8, 16).astype("float32"), "b": rng.randn(8).astype("float32")}
    return relay.Function([x, w, b], y), params


@case_for(0, 1, 2, 3)
def level(artifact, opt_level):
    artifact.trio(build(*small(), opt_level=opt_level))


@case_for("tar", "o")
def unlinked(artifact, suffix):
    artifact.trio(build(*small()), suffix="." + suffix)


@case_for("bfd", "gold", "lld", "mold")
def linker(artifact, name):
    if not shutil.which("ld." + name):
        raise Missing(f"no ld.{name}")
    artifact.factory(build(*small()), options=["-fuse-ld=" + name])


@case_for("-s", "-Wl,--hash-style=sysv", "-Wl,-z,now", "-Wl,-z,separate-code", "-Wl,-Bsymbolic")
def linked(artifact, option):
    artifact.factory(build(*small()), options=[option])


@case
def factory(artifact):
    artifact.factory(build(*small()))


@case
def factory_unlinked(artifact):
    artifact.factory(build(*small()), suffix=".tar")


@case
def factory_of_a_name(artifact):
    artifact.factory(build(*small(), mod_name="tiny"), name="tiny")


@case
def factory_without_parameters(artifact):
    artifact.factory(build(*small()), removed=True)


@case
def factory_without_any(artifact):
    x = relay.var("x", shape=(2, 3))
    artifact.factory(build(relay.Function([x], relay.exp(x))))


@case
def factory_of_all_types(artifact):
    """Parameters of all element types inside of a library."""
    inputs = [relay.var("p" + dtype, shape=(3, 2), dtype=dtype) for dtype in TYPES]
    x = relay.var("x", shape=(3, 2))
    outputs = [relay.cast(each, "float32") + x for each in inputs]
    params = {"p" + dtype: (np.arange(6).reshape(3, 2) % 2 * 3).astype(dtype) for dtype in TYPES}
    artifact.factory(build(relay.Function([x, *inputs], relay.Tuple(outputs)), params))


@case
def linked_parameters(artifact):
    artifact.trio(build(*small(), executor_options={"link-params": True}))


@case
def system(artifact):
    name = "system{}_{}".format(*VERSION)  # unlike those of other compilers in the same process
    lib = build(*small(), mod_name=name, runtime_options={"system-lib": True})
    artifact.system_library(lib)


@case
def source(artifact):
    """Kernels in C, which has no vectors."""
    artifact.trio(build(*small(), target="c", config={"tir.disable_vectorize": True}))


@case
def source_in_a_factory(artifact):
    config = {"tir.disable_vectorize": True}
    artifact.factory(build(*small(), target="c", config=config))


@case_for("without", "with")
def code_generator(artifact, constants):
    """An operator by a code generator of its own, which brings its constants or has none."""
    if (VERSION, constants) == ((0, 9), "with"):
        raise Missing("hhb-tvm 2.4.5 lacks a header that the generated code includes")
    x, inner = relay.var("x", shape=(2, 3)), relay.var("inner", shape=(2, 3))
    other = inner
    if constants == "with":
        other = relay.const(np.arange(6, dtype="float32").reshape(2, 3))
    f = relay.Function([inner], relay.add(relay.multiply(inner, inner), other))
    for key in ("Primitive", "Inline"):
        f = f.with_attr(key, tvm.tir.IntImm("int32", 1))
    f = f.with_attr("Compiler", "ccompiler").with_attr("global_symbol", "generated_0")
    lib = build(relay.Function([x], relay.exp(relay.Call(f, [x]))))
    options = ["-O2", "-std=c++17", *("-I" + path for path in find_include_path())]
    if constants == "with":  # kept in a C++ container of the old runtime
        artifact.refused(
            lib, "C.. code compiled against the headers of an old TVM", options=options
        )
    else:
        artifact.factory(lib, options=options)


# ---------------------------------------------------------------- functions without a graph


def vector_add(dtype):
    n = te.var("n")
    a, b = te.placeholder((n,), dtype, "a"), te.placeholder((n,), dtype, "b")
    c = te.compute((n,), lambda i: a[i] + b[i], "c")
    return te.create_schedule(c.op), [a, b, c], c


@case_for(*TYPES[1:])
def function(artifact, dtype):
    schedule, arguments, _ = vector_add(dtype)
    x = (np.arange(9) * 3).astype(dtype)
    calls = [("add", x, x[::-1].copy(), np.zeros(9, dtype)), ("add", x[:1], x[1:2], x[2:3].copy())]
    artifact.functions(tvm.build(schedule, arguments, TARGET, name="add"), calls)


@case
def parallel(artifact):
    schedule, arguments, c = vector_add("float32")
    outer, inner = schedule[c].split(c.op.axis[0], 64)
    schedule[c].parallel(outer)
    schedule[c].vectorize(inner)
    x = np.arange(10000, dtype="float32")
    module = tvm.build(schedule, arguments, TARGET, name="add")
    artifact.functions(module, [("add", x, x * 2, np.zeros_like(x))])


@case
def scalar_arguments(artifact):
    a = te.placeholder((3,), "float64", "a")
    numbers = [te.var("i", "int32"), te.var("j", "int64"), te.var("f", "float32")]
    if VERSION == (0, 19):
        numbers.pop()  # its LLVM refuses the debug information of float arguments
    total = sum(number.astype("float64") * scale for number, scale in zip(numbers, (100, 10, 1)))
    c = te.compute((3,), lambda i: a[i] + total)
    module = tvm.build(te.create_schedule(c.op), [a, *numbers, c], TARGET, name="add")
    x = np.arange(3, dtype="float64")
    values = [(1, 2, 0.5), (-3, 1 << 40, -1.25)]
    calls = [("add", x, *each[: len(numbers)], np.zeros(3)) for each in values]
    artifact.functions(module, calls)


@case
def callback(artifact):
    """A function of the library that calls one of the host; the test registers the same."""
    x = te.placeholder((4,), "float32", "x")
    y = te.extern(
        (4,), [x], lambda i, o: tvm.tir.call_packed("tests.old.double", i[0], o[0], "text", 7)
    )

    def double(x, out, *rest):
        out.copyfrom(x.numpy() * 2)

    with global_function("tests.old.double", double):
        module = tvm.build(te.create_schedule(y.op), [x, y], TARGET, name="call")
        artifact.functions(
            module, [("call", np.arange(4, dtype="float32"), np.zeros(4, "float32"))]
        )


# ---------------------------------------------------------------- what is not run


def exported(compiled):
    return compiled.mod if hasattr(compiled, "mod") else compiled.module


@case
def virtual_machine(artifact):
    with tvm.transform.PassContext(opt_level=3):
        f, params = small()
        compiled = relay.vm.compile(tvm.IRModule.from_expr(f), TARGET, params=params)
    artifact.refused(exported(compiled), "VMExecutable")


@case
def ahead_of_time(artifact):
    f, params = small()
    options = dict(executor=relay.backend.Executor("aot", {"interface-api": "packed"}))
    if VERSION == (0, 9):
        options["runtime"] = relay.backend.Runtime("cpp")
    artifact.refused(build(f, params, **options), "AotExecutorFactory")


@case
def relax_machine(artifact):
    if VERSION < (0, 16):
        raise Missing("no Relax")
    from tvm import relax
    from tvm.script import parser

    text = """
# from tvm.script import ir as I, relax as R
@I.ir_module
class Module:
    @R.function
    def main(x: R.Tensor((2, 3), "float32")) -> R.Tensor((2, 3), "float32"):
        with R.dataflow():
            y = R.exp(x)
            R.output(y)
        return y
"""
    compiled = relax.build(parser.parse(text), tvm.target.Target(TARGET))
    artifact.refused(compiled, "relax")


# ---------------------------------------------------------------- drawn by chance, if asked for


def generated(artifact, make, *arguments):
    """A graph of operators; these compilers refuse about a tenth of what is drawn."""
    try:
        lib = make(*arguments)
    except Exception as error:
        raise Missing(f"refused: {str(error)[-300:]}") from error
    artifact.trio(lib)


def add_generated(count):
    """Add `count` graphs of several operators, and two of each operator alone."""
    import operators

    for seed in range(count):
        CASES[f"together-{seed}"] = lambda a, seed=seed: generated(a, operators.together, seed)
    for name in operators.OPERATORS if count else ():
        for seed in range(2):
            CASES[f"{name}-{seed}"] = lambda a, n=name, s=seed: generated(a, operators.alone, n, s)


add_generated(int(os.environ.get("GENERATED") or 0))
