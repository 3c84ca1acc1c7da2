# SPDX-License-Identifier: Apache-2.0
"""How results are cut into tiles."""

import pytest

pytest.importorskip("tvm")

from tvmgo.compiler.relax.templates.kernels.tiles import choose_tiling
from tvmgo.compiler.relax.templates.kernels.vectors import AVX2, AVX512, SSE

pytestmark = pytest.mark.apache_tvm


@pytest.mark.parametrize("unit", [SSE, AVX2, AVX512])
def test_all_tiles_are_in_registers(unit):
    for rows in (1, 2, 7, 13, 14, 49, 100, 196):
        for vectors in (1, 2, 3, 5, 8, 64, 125):
            for cached in (0, 3, 8):
                tiling = choose_tiling(rows, vectors, unit, cached=cached)
                left = rows % tiling.rows
                assert tiling.vectors <= vectors and tiling.rows <= rows
                assert (tiling.wide == 0) == (left == 0)
                assert tiling.panel % tiling.vectors == 0
                assert tiling.panel <= max(cached, tiling.vectors)
                for height in (tiling.rows, left):
                    # Sums, the weights if rows share them, and a number of a row.
                    width = tiling.width(height)
                    needed = height * width + (width if height > 1 else 0) + 1
                    assert needed <= unit.registers


def test_single_row_left_over_takes_more_weights_at_once():
    """Two sums alone would wait for each other for four cycles a step."""
    tiling = choose_tiling(49, 128, AVX2)
    assert (tiling.rows, tiling.vectors, tiling.wide) == (6, 2, 8)
    assert choose_tiling(48, 128, AVX2).wide == 0
