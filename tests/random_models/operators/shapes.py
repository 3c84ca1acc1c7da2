# SPDX-License-Identifier: Apache-2.0
"""What moves elements, or tells of shapes."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from tests.random_models.model import FLOATS, INTEGERS, SIZES, RandomModel

ANY = "fiub"
FEW = SIZES[:10]


def transpose(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    m.add("Transpose", a, perm=[int(x) for x in m.rng.permutation(a.array.ndim)])


def reshape(m: RandomModel) -> None:
    a = m.some(kind=m.pick(ANY))
    shape = list(a.array.shape)
    if len(shape) > 1 and m.chance(0.5):
        at = m.integer(0, len(shape) - 2)
        shape[at : at + 2] = [shape[at] * shape[at + 1]]
    else:
        shape.insert(m.integer(0, len(shape)), 1)
    if shape and m.chance(0.3):
        shape[m.integer(0, len(shape) - 1)] = -1
    m.add("Reshape", a, m.constant(shape, "int64"))


def flatten(m: RandomModel) -> None:
    a = m.some(kind=m.pick(ANY))
    m.add("Flatten", a, axis=m.integer(-a.array.ndim, a.array.ndim))


def squeeze(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    ones = [axis for axis, size in enumerate(a.array.shape) if size == 1]
    if ones:
        m.add("Squeeze", a, m.constant([m.pick(ones)], "int64") if m.chance(0.7) else None)


def unsqueeze(m: RandomModel) -> None:
    a = m.some(kind=m.pick(ANY), most=4)
    rank = a.array.ndim + 1
    m.add("Unsqueeze", a, m.constant([m.integer(-rank, rank - 1)], "int64"))


def concat(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    axis = m.axis(a)
    parts = [a]
    for _ in range(m.integer(1, 3)):
        shape = list(a.array.shape)
        shape[axis] = int(m.pick(FEW)) if m.chance(0.7) else shape[axis]
        parts.insert(m.integer(0, len(parts)), m.other(a.array.dtype, tuple(shape)))
    m.add("Concat", *parts, axis=axis)


def split(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    axis = m.axis(a)
    size = a.array.shape[axis]
    if size > 1 and m.chance(0.7):
        at = m.integer(1, size - 1)
        m.add("Split", a, m.constant([at, size - at], "int64"), axis=axis, outputs=2)
    elif size > 2:
        m.add("Split", a, axis=axis, num_outputs=2, outputs=2)


def slice_(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    axes = m.axes(a)
    bounds = []
    for axis in axes:
        size = a.array.shape[axis]
        step = int(m.pick((1, 1, 1, 2, 3, -1, -2)))
        begin = m.integer(0, size - 1)
        end = (
            m.integer(begin + 1, size + 3)
            if step > 0
            else m.pick((-size - 1, -size - 1, begin - size - 1))
        )
        bounds.append((begin, end, axis, step))
    m.add("Slice", a, *(m.constant(each, "int64") for each in zip(*bounds)))


def pad(m: RandomModel) -> None:
    a = m.some(1, m.pick("ffi"))
    mode = m.pick(("constant", "constant", "edge", "reflect"))
    most = [min(4, size) if mode == "reflect" else 4 for size in a.array.shape] * 2
    value = m.constant(m.array(a.array.dtype, ())) if mode == "constant" and m.chance(0.5) else None
    m.add("Pad", a, m.constant([m.rng.integers(n) for n in most], "int64"), value, mode=mode)


def expand(m: RandomModel) -> None:
    a = m.some(kind=m.pick(ANY))
    shape = [int(m.pick(FEW)) if size == 1 else size for size in a.array.shape]
    if len(shape) < 5 and m.chance(0.3):
        shape.insert(0, int(m.pick(FEW)))
    m.add("Expand", a, m.constant(shape, "int64"))


def tile(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    m.add("Tile", a, m.constant(m.rng.integers(1, 4, a.array.ndim)))


def gather(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    axis = m.axis(a)
    size = a.array.shape[axis]
    index = np.asarray(m.rng.integers(-size, size, m.shape(m.integer(0, 2))))
    index = index.astype(m.pick(("int64", "int32")))
    m.add("Gather", a, m.given(index) if m.chance(0.6) else m.constant(index), axis=axis)


def gather_elements(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    axis = m.axis(a)
    shape = [m.integer(1, size) if m.chance(0.3) else size for size in a.array.shape]
    shape[axis] = m.integer(1, 9)
    size = a.array.shape[axis]
    m.add("GatherElements", a, m.given(m.rng.integers(-size, size, shape)), axis=axis)


def gather_nd(m: RandomModel) -> None:
    a = m.some(1, m.pick(ANY))
    depth = m.integer(1, a.array.ndim)
    count = m.integer(1, 7)
    places = [m.rng.integers(-size, size, count) for size in a.array.shape[:depth]]
    m.add("GatherND", a, m.given(np.stack(places, -1)))


def scatter_elements(m: RandomModel) -> None:
    a = m.some(1)
    axis = m.axis(a)
    shape = list(a.array.shape)
    shape[axis] = count = m.integer(1, shape[axis])
    places = np.argsort(m.rng.random(a.array.shape), axis=axis)
    index = np.take(places, range(count), axis=axis)
    reduction = m.pick(("none", "none", "add", "mul", "max", "min"))
    m.add(
        "ScatterElements",
        *(a, m.given(index), m.other(a.array.dtype, tuple(shape))),
        axis=axis,
        reduction=reduction,
    )


def scatter_nd(m: RandomModel) -> None:
    a = m.some(1)
    depth = m.integer(1, a.array.ndim)
    leading = a.array.shape[:depth]
    points = m.rng.permutation(int(np.prod(leading)))[: m.integer(1, 9)]
    index = np.stack(np.unravel_index(points, leading), -1)
    updates = m.other(a.array.dtype, (len(points), *a.array.shape[depth:]))
    m.add("ScatterND", a, m.given(index), updates, reduction=m.pick(("none", "add", "max")))


def one_hot(m: RandomModel) -> None:
    depth = m.integer(1, 9)
    index = m.given(np.asarray(m.rng.integers(-depth, depth, m.shape(m.integer(0, 3), FEW))))
    values = m.weights(m.pick(("float32", "int64")), (2,))
    m.add(
        "OneHot",
        index,
        m.constant(depth, "int64"),
        values,
        axis=m.integer(-index.array.ndim - 1, index.array.ndim),
    )


def eye_like(m: RandomModel) -> None:
    a = m.new_input(m.pick(FLOATS), m.shape(2))
    m.add("EyeLike", a, k=m.integer(-3, 3), dtype=m.pick((1, 7)))


def triangle(m: RandomModel) -> None:
    a = m.some(2, m.pick("ffi"))
    m.add("Trilu", a, m.constant(m.integer(-3, 3), "int64"), upper=m.integer(0, 1))


def depth_to_space(m: RandomModel) -> None:
    batch, channels, height, width, block = (m.integer(1, n) for n in (2, 5, 7, 9, 3))
    if m.chance(0.5):
        a = m.new_input("float32", (batch, channels * block**2, height, width))
        m.add("DepthToSpace", a, blocksize=block, mode=m.pick(("DCR", "CRD")))
    else:
        a = m.new_input("float32", (batch, channels, height * block, width * block))
        m.add("SpaceToDepth", a, blocksize=block)


def reverse_sequence(m: RandomModel) -> None:
    a = m.some(2)
    time = m.integer(0, 1)
    lengths = m.rng.integers(1, a.array.shape[time] + 1, a.array.shape[1 - time])
    m.add("ReverseSequence", a, m.given(lengths), time_axis=time, batch_axis=1 - time)


def center_crop_pad(m: RandomModel) -> None:
    a = m.some(1, m.pick("fi"))
    axes = m.axes(a)
    m.add("CenterCropPad", a, m.constant([m.integer(1, 17) for _ in axes], "int64"), axes=axes)


def shape(m: RandomModel) -> None:
    m.add(m.pick(("Shape", "Size")), m.some(1, m.pick(ANY)))


def constant_of_shape(m: RandomModel) -> None:
    value = m.array(m.pick((*FLOATS, *INTEGERS)), (1,))
    size = m.shape(m.integer(0, 3))
    m.add("ConstantOfShape", m.constant(size, "int64"), value=numpy_helper.from_array(value))


def range_(m: RandomModel) -> None:
    dtype = m.pick(("float32", "int64", "int32"))
    m.add(
        "Range",
        *(m.constant(x, dtype) for x in (m.integer(-5, 5), m.integer(6, 40), m.integer(1, 3))),
    )


def constant(m: RandomModel) -> None:
    made = m.array(m.pick((*FLOATS, *INTEGERS)), m.shape(m.integer(0, 4)))
    m.add("Constant", value=numpy_helper.from_array(made))


def cast_like(m: RandomModel) -> None:
    a = m.some(kind=m.pick("iub"))
    m.add("CastLike", a, m.constant(m.array(m.pick((*FLOATS, "int64", "int32")), (1,))))


def dropout(m: RandomModel) -> None:
    m.add("Dropout", m.some())


OPERATORS = (
    *(transpose, transpose, reshape, reshape, flatten, squeeze, unsqueeze, concat, concat, split),
    *(slice_, slice_, pad, expand, tile, gather, gather_elements, gather_nd, scatter_elements),
    *(scatter_nd, one_hot, eye_like, triangle, depth_to_space, reverse_sequence, center_crop_pad),
    *(shape, constant_of_shape, range_, constant, cast_like, dropout),
)
