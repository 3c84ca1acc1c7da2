# SPDX-License-Identifier: Apache-2.0
"""The operators that random models are made of: functions that add one to a model, or try to."""

from tests.random_models.operators import (
    elementwise,
    images,
    joined,
    products,
    quantized,
    shapes,
    sums,
)

OPERATORS = (
    *elementwise.OPERATORS,
    *elementwise.OPERATORS,
    *shapes.OPERATORS,
    *sums.OPERATORS,
    *products.OPERATORS,
    *images.OPERATORS,
    *quantized.OPERATORS,
    *joined.OPERATORS,
)
