# SPDX-License-Identifier: Apache-2.0
"""Graphs made of operators of Relay drawn by chance: element types, shapes and attributes as well."""

import random

import numpy as np
from artifacts import build
from tvm import relay

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLOATS = ("float16", "float32", "float64")
NUMBERS = INTEGERS + FLOATS


class Inputs:
    """Makes the variables of a graph, and draws by chance."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.variables = []

    def draw(self, *choices):
        return self.random.choice(choices)

    def shape(self, rank=None, low=1, high=7):
        rank = self.random.randint(1, 4) if rank is None else rank
        return tuple(self.random.randint(low, high) for _ in range(rank))

    def new(self, shape, dtype="float32"):
        variable = relay.var(f"x{len(self.variables)}", shape=shape, dtype=dtype)
        self.variables.append(variable)
        return variable

    def any(self, dtypes=NUMBERS, rank=None):
        return self.new(self.shape(rank), self.draw(*dtypes))

    def constant(self, shape, low, high, dtype):
        numbers = np.random.RandomState(self.random.randrange(1 << 30)).randint(low, high, shape)
        return relay.const(numbers.astype(dtype), dtype)


def unary(f, dtypes=FLOATS):
    return lambda n: f(n.any(dtypes))


def binary(f, dtypes=NUMBERS):
    def apply(n):
        shape, dtype = n.shape(), n.draw(*dtypes)
        other = tuple(n.draw(extent, extent, 1) for extent in shape)[n.draw(0, 0, 1) :]
        return f(n.new(shape, dtype), n.new(other, dtype))

    return apply


def reduction(f, dtypes=NUMBERS, **options):
    def apply(n):
        shape = n.shape(n.draw(2, 3))
        axis = n.draw(None, 0, len(shape) - 1)
        return f(n.new(shape, n.draw(*dtypes)), axis, n.draw(True, False), **options)

    return apply


def image(f, spatial=2, dtypes=("float32", "float64")):
    """What takes a picture with channels in front."""
    return lambda n: f(
        n, n.new((n.draw(1, 2), n.draw(2, 4)) + n.shape(spatial, 5, 9), n.draw(*dtypes))
    )


def convolution(f, spatial, transposed=False):
    def apply(n):
        channels, outputs, size = n.draw(1, 3, 8), n.draw(4, 8, 16), n.draw(1, 2, 3)
        x = n.new((1, channels) + n.shape(spatial, 6, 9))
        pair = (channels, outputs) if transposed else (outputs, channels)
        options = dict(channels=outputs, kernel_size=(size,) * spatial)
        options.update(strides=(n.draw(1, 2),) * spatial, padding=(size // 2,) * spatial)
        return f(x, n.new(pair + (size,) * spatial), **options)

    return apply


UNARY_FLOAT = (
    *("exp", "log", "log2", "log10", "sqrt", "rsqrt", "sigmoid", "tanh", "sin", "cos", "tan"),
    *("asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "floor", "ceil"),
    *("trunc", "round", "isnan", "isfinite", "isinf"),
)
UNARY = ("abs", "negative", "sign", "copy", "zeros_like", "ones_like")
BINARY = (
    *("add", "subtract", "multiply", "divide", "floor_divide", "floor_mod", "mod", "maximum"),
    *("minimum", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
)
OPERATORS = {name: unary(getattr(relay, name)) for name in UNARY_FLOAT}
OPERATORS.update((name, unary(getattr(relay, name), NUMBERS)) for name in UNARY)
OPERATORS.update((name, binary(getattr(relay, name))) for name in BINARY)
OPERATORS.update(
    (name, binary(getattr(relay, name), INTEGERS))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
)
OPERATORS.update(
    (name, binary(getattr(relay, name), ("bool",)))
    for name in ("logical_and", "logical_or", "logical_xor")
)
OPERATORS.update(
    (name, reduction(getattr(relay, name)))
    for name in ("sum", "max", "min", "prod", "argmax", "argmin")
)
OPERATORS.update(
    (name, reduction(getattr(relay, name), FLOATS)) for name in ("mean", "variance", "std")
)
OPERATORS.update((name, reduction(getattr(relay, name), ("bool",))) for name in ("all", "any"))
OPERATORS.update(
    {
        # element by element
        "power": binary(lambda x, y: relay.power(relay.abs(x), y), FLOATS),
        "left_shift": lambda n: relay.left_shift(n.any(("int32",), 2), relay.const(3)),
        "right_shift": lambda n: relay.right_shift(n.any(("int32",), 2), relay.const(2)),
        "logical_not": unary(relay.logical_not, ("bool",)),
        "bitwise_not": unary(relay.bitwise_not, INTEGERS),
        "clip": unary(lambda x: relay.clip(x, 3, 60), NUMBERS),
        "cast": lambda n: relay.cast(n.any(NUMBERS + ("bool",)), n.draw("bool", *NUMBERS)),
        "cast_bfloat16": unary(
            lambda x: relay.cast(relay.cast(x, "bfloat16"), "float32"), ("float32",)
        ),
        "fixed_point_multiply": unary(
            lambda x: relay.fixed_point_multiply(x, 1 << 30, 2), ("int32",)
        ),
        "where": lambda n: (lambda s, t: relay.where(n.new(s, "bool"), n.new(s, t), n.new(s, t)))(
            n.shape(), n.draw(*NUMBERS)
        ),
        "full_like": unary(lambda x: relay.full_like(x, relay.const(3, "float32")), ("float32",)),
        "full": lambda n: relay.full(n.new((), "int32"), n.shape(), "int32"),
        "arange": lambda n: (
            relay.arange(relay.const(n.draw(3, 9)), dtype="int32") + n.new((), "int32")
        ),
        # moving
        "reshape": unary(lambda x: relay.reshape(x, (-1,)), NUMBERS),
        "reshape_and_use": unary(
            lambda x: relay.abs(relay.reshape(relay.abs(x), (-1, 1))), NUMBERS
        ),
        "expand_dims": unary(lambda x: relay.expand_dims(x, 0, 2), NUMBERS),
        "squeeze": lambda n: relay.squeeze(n.new((1, 4, 1), n.draw(*NUMBERS))),
        "transpose": lambda n: relay.transpose(
            n.any(NUMBERS, 3), n.draw([0, 2, 1], [2, 1, 0], None)
        ),
        "reverse": lambda n: relay.reverse(n.any(NUMBERS, 2), n.draw(0, 1)),
        "tile": lambda n: relay.tile(n.any(NUMBERS, 2), (2, 3)),
        "repeat": lambda n: relay.repeat(n.any(NUMBERS, 2), 3, n.draw(0, 1)),
        "concatenate": lambda n: relay.concatenate(
            [n.new((2, 3), "int16"), n.new((2, n.draw(1, 5)), "int16")], 1
        ),
        "stack": lambda n: (lambda s: relay.stack([n.new(s), n.new(s)], n.draw(0, 1)))(n.shape(2)),
        "split": lambda n: relay.Tuple(
            list(relay.split(n.new((6, 4), n.draw(*NUMBERS)), [1, 4], 0))
        ),
        "strided_slice": lambda n: relay.strided_slice(
            n.new((7, 8), n.draw(*NUMBERS)), [1, 6], [6, 0], [n.draw(1, 2), -1]
        ),
        "strided_set": lambda n: relay.strided_set(
            n.new((6, 4)),
            n.new((2, 4)),
            relay.const([1, 0]),
            relay.const([3, 4]),
            relay.const([1, 1]),
        ),
        "take": lambda n: relay.take(
            n.any(NUMBERS, 2), n.constant((3, 2), 0, 1, "int32"), n.draw(0, 1)
        ),
        "take_wrap": lambda n: relay.take(
            n.new((5, 3)), n.constant((4,), -9, 9, "int64"), 0, mode=n.draw("wrap", "clip")
        ),
        "gather": lambda n: relay.gather(n.new((4, 5)), 1, n.constant((4, 2), 0, 5, "int32")),
        "gather_nd": lambda n: relay.gather_nd(
            n.new((4, 5), n.draw(*NUMBERS)), n.constant((2, 3), 0, 4, "int64")
        ),
        "scatter_elements": lambda n: relay.scatter_elements(
            n.new((4, 5)),
            n.constant((2, 5), 0, 4, "int64"),
            n.new((2, 5)),
            0,
            n.draw("add", "max", "min"),
        ),
        "scatter_nd": lambda n: relay.scatter_nd(
            n.new((4, 5)), n.constant((1, 3), 0, 4, "int64"), n.new((3, 5)), "add"
        ),
        "pad": lambda n: relay.nn.pad(
            n.any(FLOATS, 2), ((1, 2), (0, 3)), n.draw(0, 2.5), n.draw("constant", "edge")
        ),
        "mirror_pad": lambda n: relay.nn.mirror_pad(n.new((4, 5)), ((1, 2), (2, 1)), "REFLECT"),
        "broadcast_to": lambda n: relay.broadcast_to(n.new((1, 4), n.draw(*NUMBERS)), (3, 4)),
        "one_hot": lambda n: relay.one_hot(
            n.new(n.shape(2), "int32"), relay.const(9.0), relay.const(-1.0), 100, -1, "float32"
        ),
        "meshgrid": lambda n: relay.Tuple(list(relay.meshgrid([n.new((3,)), n.new((4,))]))),
        "sequence_mask": lambda n: relay.sequence_mask(
            n.new((6, 3)), n.constant((3,), 1, 6, "int32"), 1.5
        ),
        "reverse_sequence": lambda n: relay.reverse_sequence(
            n.new((5, 3)), n.constant((3,), 1, 5, "int32"), 0, 1
        ),
        "matrix_set_diag": lambda n: relay.matrix_set_diag(n.new((4, 5)), n.new((4,))),
        "trilu": lambda n: relay.trilu(
            n.new((4, 5), n.draw(*NUMBERS)), relay.const(1), n.draw(True, False)
        ),
        "shape_of": unary(relay.shape_of, NUMBERS),
        "ndarray_size": unary(relay.ndarray_size, NUMBERS),
        "unravel_index": lambda n: (
            relay.unravel_index(n.constant((5,), 0, 11, "int32"), relay.const([3, 4]))
            + n.new((5,), "int32")
        ),
        "space_to_batch_nd": lambda n: relay.nn.space_to_batch_nd(
            n.new((1, 4, 6, 2)), [2, 2], [[0, 0], [0, 0]]
        ),
        "batch_to_space_nd": lambda n: relay.nn.batch_to_space_nd(
            n.new((4, 2, 3, 2)), [2, 2], [[0, 0], [0, 0]]
        ),
        "depth_to_space": lambda n: relay.nn.depth_to_space(n.new((1, 8, 2, 3)), 2),
        "space_to_depth": lambda n: relay.nn.space_to_depth(n.new((1, 2, 4, 6)), 2),
        "layout_transform": lambda n: relay.layout_transform(
            n.new((1, 8, 3, 4)), "NCHW", n.draw("NHWC", "NCHW4c")
        ),
        "einsum": lambda n: relay.einsum(
            [n.new((3, 4)), n.new((4, 5))], n.draw("ij,jk->ik", "ij,jk->k")
        ),
        "embedding": lambda n: relay.adv_index([n.new((5, 4)), n.constant((3,), 0, 5, "int64")]),
        # order
        "sort": lambda n: relay.sort(
            n.any(("float32", "float64", "int32", "int64"), 2), n.draw(0, 1), n.draw(True, False)
        ),
        "argsort": lambda n: relay.argsort(
            n.any(("float32", "float64", "int32", "int64"), 2),
            n.draw(0, 1),
            n.draw(True, False),
            n.draw("int32", "int64", "float32"),
        ),
        "topk": lambda n: relay.Tuple(
            list(
                relay.topk(
                    n.new((4, 9), n.draw("float32", "int64")),
                    n.draw(1, 3),
                    1,
                    "both",
                    n.draw(True, False),
                    n.draw("int32", "int64"),
                )
            )
        ),
        "searchsorted": lambda n: relay.searchsorted(
            relay.const(np.arange(0, 90, 7, dtype="int32")), n.new(n.shape(2), "int32")
        ),
        "cumsum": lambda n: relay.cumsum(
            n.any(("int32", "int64", "float32", "float64"), 2),
            n.draw(0, 1),
            exclusive=n.draw(True, False),
        ),
        "cumprod": lambda n: relay.cumprod(
            n.any(("int32", "int64", "float32"), 2), n.draw(0, 1), exclusive=n.draw(True, False)
        ),
        # networks
        "dense": lambda n: relay.nn.dense(n.new((n.draw(1, 5), 16)), n.new((n.draw(3, 8), 16))),
        "matmul": lambda n: relay.nn.matmul(n.new((3, 8), "float64"), n.new((8, 5), "float64")),
        "batch_matmul": lambda n: relay.nn.batch_matmul(n.new((2, 3, 8)), n.new((2, 5, 8))),
        "conv1d": convolution(relay.nn.conv1d, 1),
        "conv2d": convolution(relay.nn.conv2d, 2),
        "conv3d": convolution(relay.nn.conv3d, 3),
        "conv1d_transpose": convolution(relay.nn.conv1d_transpose, 1, True),
        "conv2d_transpose": convolution(relay.nn.conv2d_transpose, 2, True),
        "depthwise": lambda n: relay.nn.conv2d(
            n.new((1, 8, 7, 7)), n.new((8, 1, 3, 3)), groups=8, channels=8, kernel_size=(3, 3)
        ),
        "conv2d_nhwc": lambda n: relay.nn.conv2d(
            n.new((1, 6, 6, 4)),
            n.new((3, 3, 4, 8)),
            channels=8,
            kernel_size=(3, 3),
            data_layout="NHWC",
            kernel_layout="HWIO",
        ),
        "max_pool1d": image(lambda n, x: relay.nn.max_pool1d(x, 2, n.draw(1, 2)), 1),
        "max_pool2d": image(
            lambda n, x: relay.nn.max_pool2d(x, (2, 3), (n.draw(1, 2),) * 2, padding=(0, 1))
        ),
        "max_pool3d": image(lambda n, x: relay.nn.max_pool3d(x, (2, 2, 2)), 3),
        "avg_pool2d": image(
            lambda n, x: relay.nn.avg_pool2d(
                x, (2, 3), padding=(1, 1), count_include_pad=n.draw(True, False)
            )
        ),
        "avg_pool3d": image(lambda n, x: relay.nn.avg_pool3d(x, (2, 2, 2)), 3),
        "global_max_pool2d": image(lambda n, x: relay.nn.global_max_pool2d(x)),
        "global_avg_pool2d": image(lambda n, x: relay.nn.global_avg_pool2d(x)),
        "adaptive_avg_pool2d": image(lambda n, x: relay.nn.adaptive_avg_pool2d(x, (2, 3))),
        "adaptive_max_pool1d": image(lambda n, x: relay.nn.adaptive_max_pool1d(x, 3), 1),
        "upsampling": image(
            lambda n, x: relay.nn.upsampling(x, 2, 2, method=n.draw("nearest_neighbor", "bilinear"))
        ),
        "resize1d": image(
            lambda n, x: relay.image.resize1d(x, (11,), method="linear"), 1, ("float32",)
        ),
        "resize2d": image(
            lambda n, x: relay.image.resize2d(
                x, (11, 4), method=n.draw("linear", "nearest_neighbor", "cubic")
            ),
            2,
            ("float32",),
        ),
        "resize3d": image(
            lambda n, x: relay.image.resize3d(x, (4, 4, 11), method="linear"), 3, ("float32",)
        ),
        "grid_sample": lambda n: relay.image.grid_sample(n.new((1, 2, 5, 6)), n.new((1, 2, 3, 4))),
        "affine_grid": lambda n: relay.image.affine_grid(n.new((1, 2, 3)), (4, 5)),
        "dilation2d": lambda n: relay.image.dilation2d(n.new((1, 3, 8, 8)), n.new((3, 2, 2))),
        "crop_and_resize": lambda n: relay.image.crop_and_resize(
            n.new((1, 3, 9, 9)),
            relay.const(np.array([[0.1, 0.1, 0.8, 0.9]], "float32")),
            relay.const(np.array([0], "int32")),
            (4, 5),
            "NCHW",
        ),
        "bias_add": image(
            lambda n, x: relay.nn.bias_add(
                x, n.new((x.type_annotation.shape[1],), x.type_annotation.dtype)
            )
        ),
        "relu": unary(relay.nn.relu, NUMBERS),
        "leaky_relu": unary(lambda x: relay.nn.leaky_relu(x, 0.1)),
        "prelu": lambda n: relay.nn.prelu(n.new((1, 4, 3, 3)), n.new((4,))),
        "softmax": lambda n: relay.nn.softmax(n.any(FLOATS, 2), n.draw(0, 1)),
        "log_softmax": lambda n: relay.nn.log_softmax(n.any(("float32", "float64"), 2)),
        "fast_softmax": lambda n: relay.nn.fast_softmax(n.any(("float32",), 2)),
        "lrn": image(lambda n, x: relay.nn.lrn(x, 3)),
        "l2_normalize": image(lambda n, x: relay.nn.l2_normalize(x, 1e-5, [1])),
        "layer_norm": lambda n: relay.nn.layer_norm(n.new((3, 8)), n.new((8,)), n.new((8,))),
        "instance_norm": lambda n: relay.nn.instance_norm(
            n.new((2, 4, 5)), n.new((4,)), n.new((4,))
        ),
        "group_norm": lambda n: relay.nn.group_norm(n.new((2, 4, 5)), n.new((4,)), n.new((4,)), 2),
        "batch_norm": lambda n: relay.nn.batch_norm(
            n.new((2, 4, 5)), n.new((4,)), n.new((4,)), n.new((4,)), relay.abs(n.new((4,)))
        )[0],
        "batch_flatten": image(lambda n, x: relay.nn.batch_flatten(x)),
        "dropout": unary(lambda x: relay.nn.dropout(x, 0.3) + x, ("float32",)),
        "cross_entropy": lambda n: relay.nn.cross_entropy(relay.abs(n.new((3, 5))), n.new((3, 5))),
        "correlation": lambda n: relay.nn.correlation(
            n.new((1, 4, 8, 8)), n.new((1, 4, 8, 8)), 1, 2, 1, 1, 2, True, "NCHW"
        ),
        # detectors
        "roi_align": lambda n: relay.vision.roi_align(
            n.new((1, 3, 9, 9)), relay.const(np.array([[0, 1, 1, 6, 7]], "float32")), (3, 3), 1.0, 2
        ),
        "roi_pool": lambda n: relay.vision.roi_pool(
            n.new((1, 3, 9, 9)), relay.const(np.array([[0, 1, 1, 6, 7]], "float32")), (3, 3), 1.0
        ),
        "multibox_prior": lambda n: relay.vision.multibox_prior(
            n.new((1, 3, 5, 5)), (0.3, 0.6), (1.0, 2.0)
        ),
        "yolo_reorg": lambda n: relay.vision.yolo_reorg(n.new((1, 4, 4, 4)), 2),
        "non_max_suppression": lambda n: relay.vision.non_max_suppression(
            n.new((1, 9, 6)),
            relay.const(np.array([7], "int32")),
            relay.const(np.arange(9, dtype="int32")[None]),
            relay.const(4),
            n.draw(0.3, 0.7),
            return_indices=False,
        ),
        # quantised
        "quantize": unary(
            lambda x: relay.qnn.op.quantize(x, relay.const(0.05), relay.const(3), out_dtype="int8"),
            ("float32",),
        ),
        "dequantize": unary(
            lambda x: relay.qnn.op.dequantize(x, relay.const(0.05), relay.const(3)),
            ("int8", "uint8", "int32"),
        ),
        "requantize": unary(
            lambda x: relay.qnn.op.requantize(
                x,
                relay.const(0.3),
                relay.const(0),
                relay.const(0.7),
                relay.const(1),
                out_dtype="int8",
            ),
            ("int32",),
        ),
        "qnn_add": lambda n: (
            lambda s: relay.qnn.op.add(
                n.new(s, "uint8"),
                n.new(s, "uint8"),
                relay.const(0.1),
                relay.const(3),
                relay.const(0.2),
                relay.const(5),
                relay.const(0.3),
                relay.const(0),
            )
        )(n.shape()),
        "qnn_conv2d": lambda n: relay.qnn.op.conv2d(
            n.new((1, 4, 6, 6), "uint8"),
            n.new((8, 4, 3, 3), "int8"),
            relay.const(3),
            relay.const(0),
            relay.const(0.1),
            relay.const(0.2),
            (3, 3),
            8,
        ),
    }
)


def alone(name, seed):
    """One operator."""
    n = Inputs(seed * 1000 + list(OPERATORS).index(name))
    return compiled(n, OPERATORS[name](n))


def together(seed):
    """Several operators in one graph, which are fused where they can be."""
    n, outputs = Inputs(seed), []
    for _ in range(n.random.randint(2, 6)):
        result = OPERATORS[n.draw(*OPERATORS)](n)
        outputs += result.fields if isinstance(result, relay.Tuple) else [relay.copy(result)]
    return compiled(n, relay.Tuple(outputs))


def compiled(n, result):
    level = n.draw(0, 1, 2, 3)
    config = {"tir.disable_cse_tir": True}  # LLVM refuses some of what it makes
    return build(relay.Function(n.variables, result), opt_level=level, config=config)
