# SPDX-License-Identifier: Apache-2.0
"""Products of two computed matrices, for every kind of vectors."""

import pytest

from tests.compiler.templates.kernels import TARGETS, error, matmul, normal
from tvmgo.compiler.relax.templates.kernels import matmul as matmul_module

pytestmark = [pytest.mark.slow, pytest.mark.apache_tvm]

SHAPES = [
    ((1, 1), (1, 1)),
    ((13, 7), (7, 45)),
    ((1, 300), (300, 50)),
    ((40, 9), (9, 1)),
    ((30, 500), (500, 400)),
    ((5, 6, 7), (7, 8)),
    ((5, 6, 7), (5, 7, 19)),
    ((6, 7), (5, 7, 8)),
    ((2, 3, 4, 5), (2, 3, 5, 33)),
    ((2, 1, 4, 5), (3, 5, 6)),
    ((2, 1, 3, 4, 5), (1, 4, 1, 5, 6)),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_product_is_right(a, b, target):
    a, b = normal(*a), normal(*b)
    truth = a.astype("float64") @ b.astype("float64")
    assert error(matmul(a, b, target), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("cached", [1_000_000, 1], ids=["rows_outside", "columns_outside"])
@pytest.mark.parametrize("columns", [100, 144])
def test_rows_left_over_are_as_right_as_others(columns, cached, target, monkeypatch):
    monkeypatch.setattr(matmul_module, "CACHED", cached)
    a, b = normal(2, 49, 20), normal(2, 20, columns)
    truth = a.astype("float64") @ b.astype("float64")
    assert error(matmul(a, b, target), truth) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
def test_product_of_doubles_is_right(target):
    a, b = normal(3, 20, 30, dtype="float64"), normal(3, 30, 10, dtype="float64")
    assert error(matmul(a, b, target), a @ b) < 1e-14
