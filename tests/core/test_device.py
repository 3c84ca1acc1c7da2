# SPDX-License-Identifier: Apache-2.0
"""Devices: names, numbers, comparing, and asking whether they exist."""

import copy
import pickle

import numpy as np
import pytest

import tvmgo
from tests.helpers import output_of

# gotvm's numbers, and DLPack's for those it did not have.
NUMBERS = {
    "cpu": 1,
    "gpu": 2,
    "cuda": 2,
    "cpu_pinned": 3,
    "cuda_host": 3,
    "opencl": 4,
    "vulkan": 7,
    "metal": 8,
    "vpi": 9,
    "rocm": 10,
    "ext_dev": 12,
    "webgpu": 15,
    "hexagon": 16,
    "sdaccel": 33,
    "opengl": 34,
}
# gpu and cpu_pinned are other words for these.
CANONICAL = {"gpu": "cuda", "cpu_pinned": "cuda_host"}


@pytest.mark.parametrize("name, number", NUMBERS.items())
def test_constructor_makes_the_device_of_its_number(name, number):
    device = getattr(tvmgo, name)(3)
    assert (device.device_type, device.device_id) == (number, 3)


@pytest.mark.parametrize("name", NUMBERS)
def test_constructor_without_an_index_means_the_first(name):
    assert getattr(tvmgo, name)().device_id == 0


@pytest.mark.parametrize("name", NUMBERS)
def test_constructor_bears_its_name(name):
    assert getattr(tvmgo, name).__name__ == name


@pytest.mark.parametrize("name, number", NUMBERS.items())
def test_device_of_a_name_has_its_number(name, number):
    assert tvmgo.Device(name).device_type == number


@pytest.mark.parametrize("name", NUMBERS)
def test_str_is_name_and_index(name):
    assert str(getattr(tvmgo, name)(2)) == f"{CANONICAL.get(name, name)}:2"


@pytest.mark.parametrize("name, number", [("cl", 4), ("mtl", 8), ("llvm", 1), ("c", 1)])
def test_device_of_an_older_spelling_has_its_number(name, number):
    assert tvmgo.Device(name).device_type == number


@pytest.mark.parametrize(
    "make",
    [
        lambda: tvmgo.Device("cpu", 0),
        lambda: tvmgo.Device("cpu:0"),
        lambda: tvmgo.cpu(0),
        lambda: tvmgo.Device("cpu"),
        lambda: tvmgo.Device(1),
        lambda: tvmgo.Device(1, 0),
        lambda: tvmgo.Device(tvmgo.cpu()),
        lambda: tvmgo.Device(np.zeros(1)),
        lambda: tvmgo.Context("cpu"),
        lambda: tvmgo.Device(device="cpu", device_id=0),
        lambda: tvmgo.cpu(device_id=0),
        lambda: tvmgo.Device(np.int32(1)),
        lambda: tvmgo.empty(1).device,
    ],
    ids=[
        "name, index",
        "name:index",
        "cpu(0)",
        "name",
        "number",
        "number, index",
        "device",
        "array",
        "context",
        "keywords",
        "keyword",
        "NumPy int",
        "of an array",
    ],
)
def test_every_way_to_the_first_cpu_gives_an_equal_device(make):
    assert make() == tvmgo.cpu(0)
    assert hash(make()) == hash(tvmgo.cpu(0))
    assert str(make()) == "cpu:0"


@pytest.mark.parametrize("index", [0, 3, -1, 2**31 - 1])
@pytest.mark.parametrize("number", [*range(-2, 40), 127, 128, 129, 130, 145, 255, 257, 2**31 - 1])
def test_str_can_be_read_back(number, index):
    device = tvmgo.Device(number, index)
    again = tvmgo.Device(str(device))
    assert again == device
    assert (again.device_type, again.device_id) == (number, index)


@pytest.mark.parametrize(
    "name, number",
    [
        ("maia:1", 17),
        ("trn:1", 18),
        ("device_type_5:1", 5),
        ("remote[0]-cpu:1", 128 + 1),
        ("remote[2]-cuda:1", 3 * 128 + 2),
    ],
)
def test_str_of_a_device_is_tvms(name, number):
    assert str(tvmgo.Device(number, 1)) == name


@pytest.mark.parametrize("other", [tvmgo.cpu(1), tvmgo.cuda(0), None, 1, (1, 0)], ids=repr)
def test_device_differs_from_what_it_is_not(other):
    assert not tvmgo.cpu(0) == other
    assert tvmgo.cpu(0) != other


def test_context_is_device():
    assert tvmgo.Context is tvmgo.Device


@pytest.mark.parametrize(
    "name",
    [
        "",
        "cpu:",
        "cpu:x",
        "cpu:0:0",
        ":0",
        "CPU",
        "tpu",
        "cpu 0",
        "cpu:1.5",
        "cpu\0",
        "cpu:0\0",
        "größer",
        "\udcff",
        f"cpu:{2**31}",
        "cpu:" + "9" * 99,
        "device_type_",
        "device_type_x",
        "device_type_" + "9" * 99,
        "remote",
        "remote[0]",
        "remote[0]-",
        "remote[]-cpu",
        "remote[x]-cpu",
        "remote[-1]-cpu",
        "remote[0]cpu",
        "0]-cpu",
        "remote[0]-tpu",
        "remote[0]-device_type_128",
        "remote[99999999]-cpu",
    ],
)
def test_device_of_a_string_that_names_none_raises_value_error(name):
    with pytest.raises(ValueError) as caught:
        tvmgo.Device(name)
    assert isinstance(caught.value, tvmgo.TVMError)


def test_device_of_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="'tpu'; known are .*cuda, "):
        tvmgo.Device("tpu")


def test_device_with_two_indices_raises_value_error():
    with pytest.raises(ValueError, match="cpu:0.*1"):
        tvmgo.Device("cpu:0", 1)


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 2**200, -(2**200)])
def test_index_outside_32_bits_raises_value_error(number):
    with pytest.raises(ValueError, match="32 bits"):
        tvmgo.cpu(number)


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63, 2**200])
def test_device_number_outside_32_bits_raises_value_error(number):
    with pytest.raises(ValueError, match="32 bits"):
        tvmgo.Device(number)


@pytest.mark.parametrize("index", [2**31 - 1, -(2**31), -3, 0])
def test_index_of_32_bits_is_kept(index):
    assert tvmgo.cpu(index).device_id == index


class StrangeIndex:
    def __init__(self, answer):
        self.answer = answer

    def __index__(self):
        return self.answer


@pytest.mark.parametrize(
    "index",
    [1.0, "1", b"1", [1], object(), 1j, StrangeIndex(1.5), StrangeIndex("1"), StrangeIndex(None)],
    ids=[
        "float",
        "str",
        "bytes",
        "list",
        "object",
        "complex",
        "index float",
        "index str",
        "index None",
    ],
)
def test_index_that_is_no_int_raises_type_error(index):
    with pytest.raises(TypeError):
        tvmgo.cpu(index)


@pytest.mark.parametrize(
    "device",
    [None, 1.0, b"cpu", [1], (1, 0), object(), StrangeIndex(1.5)],
    ids=["None", "float", "bytes", "list", "tuple", "object", "index float"],
)
def test_device_of_something_else_raises_type_error(device):
    with pytest.raises(TypeError):
        tvmgo.Device(device)


@pytest.mark.parametrize("answer", [None, 5, (), (1,), (1, 0, 0), ("cpu", 0), (1.5, 0)], ids=repr)
def test_device_of_an_object_with_a_strange_dlpack_device_raises(answer):
    class Strange:
        def __dlpack_device__(self):
            return answer

    with pytest.raises((TypeError, ValueError)):
        tvmgo.Device(Strange())


def test_device_without_arguments_raises_type_error():
    with pytest.raises(TypeError):
        tvmgo.Device()


@pytest.mark.parametrize("number", [0, 5, 6, 99, -1, 2**31 - 1, -(2**31)])
def test_device_of_a_number_without_name_keeps_it(number):
    device = tvmgo.Device(number, 1)
    assert (device.device_type, device.device_id) == (number, 1)
    assert str(number) in str(device)


@pytest.mark.parametrize("attribute", ["device_type", "device_id", "exists"])
def test_setting_an_attribute_raises(attribute):
    with pytest.raises(AttributeError):
        setattr(tvmgo.cpu(), attribute, 2)


def test_second_init_does_not_change_a_device():
    device = tvmgo.cpu(0)
    try:
        device.__init__("cuda", 1)
    except TypeError:
        pass
    assert device == tvmgo.cpu(0)


def test_repr_can_be_evaluated():
    assert eval(repr(tvmgo.vulkan(2))) == tvmgo.vulkan(2)


@pytest.mark.parametrize(
    "copier",
    [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("number", [1, 2, 33, 99])
def test_copied_device_is_equal(copier, number):
    assert copier(tvmgo.Device(number, 3)) == tvmgo.Device(number, 3)


def test_cpu_exists():
    assert tvmgo.cpu(0).exists is True


@pytest.mark.parametrize(
    "device",
    [
        tvmgo.opencl(0),
        tvmgo.metal(0),
        tvmgo.vpi(0),
        tvmgo.sdaccel(0),
        tvmgo.opengl(0),
        tvmgo.ext_dev(0),
        tvmgo.cuda(10000),
        tvmgo.Device(99),
        tvmgo.Device(-1),
    ],
    ids=str,
)
def test_device_the_runtime_was_not_built_for_does_not_exist(device):
    assert device.exists is False


def test_exists_of_the_cpu_loads_no_runtime():
    assert (
        output_of("""
        import tvmgo
        tvmgo.cpu(0).exists
        print("tvm_runtime" in tvmgo._native.locate.libraries())
    """)
        == "False\n"
    )


@pytest.mark.parametrize("number", [*sorted(set(NUMBERS.values())), 99, -1])
def test_device_passed_to_a_function_comes_back_equal(kernels, number):
    device = tvmgo.Device(number, 5)
    assert kernels["echo"](device) == device


def test_device_result_of_a_kernel_is_a_device(kernels):
    assert kernels["give"](6) == tvmgo.vulkan(3)
