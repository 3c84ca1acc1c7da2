# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, and what else works on images."""

from __future__ import annotations

import numpy as np

from tests.random_models.model import SIZES, RandomModel, Value

CHANNELS = (1, 2, 3, 5, 8, 16, 17, 24, 32)


def image(m: RandomModel, channels: int | None = None, rank: int = 2) -> Value:
    """Return an image, of a layer before if there is one."""
    fitting = [
        value
        for value in m.values
        if value.array.ndim == rank + 2
        and value.array.dtype == np.float32
        and min(value.array.shape[2:]) >= 4
        and channels in (None, value.array.shape[1])
    ]
    if fitting and m.chance(0.6):
        return m.pick(fitting)
    size = [m.integer(5, 20) for _ in range(rank)]
    return m.new_input("float32", (m.integer(1, 2), channels or int(m.pick(CHANNELS)), *size))


def convolution(m: RandomModel) -> None:
    rank = m.pick((1, 2, 2, 2, 3))
    x = image(m, rank=rank)
    channels = x.array.shape[1]
    groups = m.pick([g for g in (1, 1, 2, 4, channels) if channels % g == 0])
    outputs = groups * m.integer(1, 9 if groups < channels else 2)
    kernel = [m.pick((1, 1, 2, 3, 3, 5)) for _ in range(rank)]
    weights = m.weights("float32", (outputs, channels // groups, *kernel), 0.3)
    bias = m.weights("float32", (outputs,)) if m.chance(0.8) else None
    (result, *_) = [
        *m.add(
            *("Conv", x, weights, bias),
            group=groups,
            strides=[m.integer(1, 2) for _ in range(rank)],
            **padding(m, kernel),
            dilations=[m.integer(1, 2) for _ in range(rank)],
        ),
        None,
    ]
    if result is not None and m.chance(0.5):
        behind(m, result)


def behind(m: RandomModel, value: Value) -> None:
    """What networks have behind a convolution, computed with it."""
    kind = m.pick(("Relu", "Clip", "Add", "Sigmoid", "BatchNormalization"))
    if kind == "Relu":
        m.add("Relu", value)
    elif kind == "Clip":
        m.add("Clip", value, m.constant(0, "float32"), m.constant(6, "float32"))
    elif kind == "Add":
        made = m.add("Add", value, m.other(value.array.dtype, value.array.shape))
        if made and m.chance(0.5):
            m.add("Relu", made[0])
    elif kind == "Sigmoid":
        (made,) = m.add("Sigmoid", value)
        m.add("Mul", value, made)
    else:
        size = value.array.shape[1:2]
        scale, shift, mean = (m.weights("float32", size) for _ in "sbm")
        m.add(kind, value, scale, shift, mean, m.constant(m.rng.uniform(0.5, 2, size), "float32"))


def padding(m: RandomModel, kernel: list[int]) -> dict:
    if m.chance(0.15):
        return {"auto_pad": m.pick(("SAME_UPPER", "SAME_LOWER", "VALID"))}
    return {"pads": [m.integer(0, size // 2) for size in kernel * 2]}


def transposed(m: RandomModel) -> None:
    rank = m.pick((1, 2, 2))
    x = image(m, rank=rank)
    channels = x.array.shape[1]
    groups = m.pick([g for g in (1, 1, 2) if channels % g == 0])
    kernel = [m.integer(1, 4) for _ in range(rank)]
    strides = [m.integer(1, 3) for _ in range(rank)]
    m.add(
        "ConvTranspose",
        x,
        m.weights("float32", (channels, m.integer(1, 6), *kernel), 0.3),
        group=groups,
        strides=strides,
        pads=[m.integer(0, size // 2) for size in kernel * 2],
        output_padding=[m.integer(0, stride - 1) for stride in strides],
    )


def pool(m: RandomModel) -> None:
    rank = m.pick((1, 2, 2, 2, 3))
    kernel = [m.integer(1, 3) for _ in range(rank)]
    operator = m.pick(("MaxPool", "MaxPool", "AveragePool", "AveragePool", "LpPool"))
    attributes = {"count_include_pad": m.integer(0, 1)} if operator == "AveragePool" else {}
    if operator == "LpPool":
        attributes = {"p": m.integer(1, 3)}
    around = padding(m, kernel)
    # With "SAME" ONNX Runtime pads as if windows had no gaps.
    apart = [m.integer(1, 2) if "pads" in around else 1 for _ in kernel]
    m.add(
        *(operator, image(m, rank=rank)),
        kernel_shape=kernel,
        strides=[m.integer(1, 2) for _ in kernel],
        ceil_mode=m.integer(0, 1) if rank == 2 else 0,
        dilations=apart,
        **around,
        **attributes,
    )


def pool_with_places(m: RandomModel) -> None:
    m.add("MaxPool", image(m), kernel_shape=[2, 2], strides=[2, 2], outputs=2)


def global_pool(m: RandomModel) -> None:
    shape = (1, int(m.pick(SIZES)), int(m.pick(SIZES[:12])), int(m.pick(SIZES[:12])))
    x = m.new_input("float32", shape) if m.chance(0.5) else image(m)
    m.add(m.pick(("GlobalAveragePool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")), x)


def resize(m: RandomModel) -> None:
    x = image(m)
    scales = [1, 1, *(m.pick((0.5, 1.5, 2.0, 2.0, 2.5)) for _ in range(2))]
    mode = m.pick(("nearest", "nearest", "linear", "cubic"))
    m.add(
        *("Resize", x, None, m.constant(scales, "float32")),
        mode=mode,
        coordinate_transformation_mode=m.pick(
            ("half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel")
        ),
        **({"nearest_mode": m.pick(("floor", "round_prefer_floor"))} if mode == "nearest" else {}),
    )


def grid_sample(m: RandomModel) -> None:
    x = image(m)
    grid = m.rng.uniform(-1.2, 1.2, (x.array.shape[0], m.integer(1, 6), m.integer(1, 6), 2))
    m.add(
        *("GridSample", x, m.given(grid.astype("float32"))),
        mode="linear",
        padding_mode=m.pick(("zeros", "border", "reflection")),
        align_corners=m.integer(0, 1),
    )


def col2im(m: RandomModel) -> None:
    kernel = [m.integer(1, 3), m.integer(1, 3)]
    size = [m.integer(3, 9), m.integer(3, 9)]
    blocks = int(np.prod([s - k + 1 for s, k in zip(size, kernel)]))
    x = m.new_input("float32", (1, m.integer(1, 3) * int(np.prod(kernel)), blocks))
    m.add("Col2Im", x, m.constant(size, "int64"), m.constant(kernel, "int64"))


OPERATORS = (
    *(convolution, convolution, convolution, transposed, pool, pool, pool_with_places, global_pool),
    *(resize, grid_sample, col2im),
)
