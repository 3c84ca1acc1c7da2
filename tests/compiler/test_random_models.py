# SPDX-License-Identifier: Apache-2.0
"""Some random models of those that ``make random-models`` tries, two of them new in each run."""

import signal

import numpy as np
import pytest

from tests.helpers import run_python
from tests.random_models.checking import check, compare, players
from tests.random_models.model import RandomModel

pytestmark = pytest.mark.slow

FRESH = int(np.random.SeedSequence().generate_state(1)[0])
FEWEST_OPERATORS = 120


@pytest.fixture(scope="module")
def playing():
    with players() as made:
        yield made


# A name that says "fresh" for any number: processes that share the tests must agree on their names.
SEEDS = [*range(8), pytest.param(FRESH, id="fresh"), pytest.param(FRESH + 1, id="fresh, next")]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_clone_gives_the_results_of_onnx_runtime_and_stays_inside_tensors(seed, playing):
    check(RandomModel(seed), playing)


def test_a_wrong_result_is_found():
    model = RandomModel(5)
    results = model.expected()
    compare(model, results, results, "v2")
    wrong = [results[0] + np.asarray(1, results[0].dtype), *results[1:]]
    with pytest.raises(AssertionError, match="v2: output"):
        compare(model, wrong, results, "v2")


@pytest.mark.parametrize(("at_end", "offset"), [(True, 12), (False, -1)])
def test_an_access_outside_of_a_tensor_ends_the_process(at_end, offset):
    done = run_python(f"""
        import ctypes
        import numpy as np
        from tests.compiler.guard_pages import guarded_copy
        array = guarded_copy(np.ones(3, "float32"), {at_end})
        ctypes.string_at(array.ctypes.data + {offset}, 1)
    """)
    assert done.returncode == -signal.SIGSEGV


def test_models_have_many_kinds_of_operators():
    kinds = {node.op_type for seed in range(300) for node in RandomModel(seed).nodes}
    assert len(kinds) >= FEWEST_OPERATORS
