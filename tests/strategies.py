# SPDX-License-Identifier: Apache-2.0
"""Examples for tests of properties, drawn by hypothesis, the same ones every time."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

quick = settings(derandomize=True, database=None, deadline=None, max_examples=60)

DTYPES = ["float32", "float64", "int8", "int32", "int64", "uint8"]
ARRAYS = npst.arrays(
    st.sampled_from(DTYPES).map(np.dtype),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.integers(0, 5),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
