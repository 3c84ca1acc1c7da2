# SPDX-License-Identifier: Apache-2.0
"""All operators that become templates, or work in the layout of these."""

from __future__ import annotations

from tvm.relax import op as R

from tvmgo.compiler.relax.templates.kernels.channelwise import Average, Maximum
from tvmgo.compiler.relax.templates.operators.axes import (
    replace_pad,
    replace_place,
    replace_resize,
    replace_softmax,
)
from tvmgo.compiler.relax.templates.operators.byte_products import (
    replace_byte_conv2d,
    replace_byte_matmul,
)
from tvmgo.compiler.relax.templates.operators.context import Operator
from tvmgo.compiler.relax.templates.operators.conv2d import replace_convolution
from tvmgo.compiler.relax.templates.operators.described import replace_described
from tvmgo.compiler.relax.templates.operators.layouts import (
    replace_concat,
    replace_permute_dims,
    replace_reshape,
)
from tvmgo.compiler.relax.templates.operators.matmul import replace_matmul
from tvmgo.compiler.relax.templates.operators.pools import replace_mean, replace_pool
from tvmgo.compiler.relax.templates.operators.scanning import SCANS
from tvmgo.compiler.relax.templates.operators.selecting import replace_top_k
from tvmgo.compiler.relax.templates.operators.shuffling import replace_shuffle
from tvmgo.compiler.relax.templates.operators.transposed import replace_transposed


def first_of(*operators: Operator) -> Operator:
    return lambda *binding: any(operator(*binding) for operator in operators)


OPERATORS: dict[str, Operator] = {
    "relax.nn.conv1d": replace_convolution,
    "relax.nn.conv2d": first_of(replace_convolution, replace_byte_conv2d),
    "relax.nn.conv3d": replace_convolution,
    "relax.nn.conv1d_transpose": replace_transposed,
    "relax.nn.conv2d_transpose": replace_transposed,
    "relax.matmul": first_of(replace_matmul, replace_byte_matmul),
    "relax.nn.max_pool1d": replace_pool(Maximum),
    "relax.nn.max_pool2d": replace_pool(Maximum),
    "relax.nn.max_pool3d": replace_pool(Maximum),
    "relax.nn.avg_pool1d": replace_pool(Average),
    "relax.nn.avg_pool2d": replace_pool(Average),
    "relax.nn.avg_pool3d": replace_pool(Average),
    "relax.mean": replace_mean,
    "relax.call_dps_packed": replace_described,
    "relax.concat": replace_concat,
    "relax.permute_dims": replace_permute_dims,
    "relax.reshape": first_of(replace_shuffle, replace_reshape),
    "relax.squeeze": replace_reshape,
    "relax.image.resize2d": replace_resize,
    "relax.nn.pad": replace_pad,
    "relax.nn.softmax": replace_softmax,
    "relax.argmax": replace_place(R.argmax),
    "relax.argmin": replace_place(R.argmin),
    "relax.expand_dims": replace_reshape,
    "relax.topk": replace_top_k,
    **SCANS,
}
