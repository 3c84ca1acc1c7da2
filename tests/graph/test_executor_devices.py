# SPDX-License-Identifier: Apache-2.0
"""Graphs whose entries live on several devices."""

import numpy as np
import pytest

import tvmgo
from tests.blobs import params_blob
from tests.graph.executors import EXT_DEV, create, device_graph, lent
from tests.helpers import f32


@pytest.mark.usefixtures("fake_runtime")
def test_entries_on_another_device_live_there(native):
    count_copies = native["count_copies"]
    module = create(device_graph(), 1, 0, EXT_DEV, 3)
    devices = [str(module["get_output"](i).device) for i in range(3)]
    assert devices == ["ext_dev:3", "cpu:0", "cpu:0"]
    before = count_copies()
    module["set_input"]("x", tvmgo.array(f32(1, 2)))
    module["load_params"](params_blob([("p", f32(3, 4))]))
    module["run"]()
    assert count_copies() - before == 4  # the parameter and three operators
    np.testing.assert_array_equal(module["get_output"]("fetched").numpy(), f32(3, 4))
    np.testing.assert_array_equal(module["get_output"]("echo").numpy(), f32(1, 2))


@pytest.mark.usefixtures("fake_runtime")
def test_outputs_on_another_device_are_copied_out():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("x", tvmgo.array(f32(5, 6)))
    module["run"]()
    out = tvmgo.empty((2,))
    module["get_output"]("sent", out)
    np.testing.assert_array_equal(out.numpy(), f32(5, 6))


@pytest.mark.usefixtures("fake_runtime")
def test_strided_host_data_reaches_another_device():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    module["set_input"]("p", f32(1, 2, 3, 4)[::-2])
    module["run"]()
    np.testing.assert_array_equal(module["get_output"]("fetched").numpy(), f32(4, 2))


@pytest.mark.usefixtures("fake_runtime")
def test_run_from_inputs_returns_outputs_on_the_device_asked_for():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    outputs = module["run_from_inputs"](EXT_DEV, 0, "x", tvmgo.array(f32(1, 2)))
    assert [str(y.device) for y in outputs] == ["ext_dev:0"] * 3


@pytest.mark.usefixtures("fake_runtime")
def test_tensor_of_another_device_is_not_lent():
    module = create(device_graph(), 1, 0, EXT_DEV, 0)
    with pytest.raises(ValueError, match="expected a tensor on device 12:0, got 1:0"):
        module["set_input_zero_copy"]("p", lent(1, 2))
