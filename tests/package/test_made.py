# SPDX-License-Identifier: Apache-2.0
"""Classes whose objects functions make say which functions."""

import pytest

import tvmgo

MAKERS = {
    tvmgo.Array: "tvmgo.array, tvmgo.empty and tvmgo.from_dlpack",
    tvmgo.Function: "tvmgo.convert_function and tvmgo.get_global_function",
    tvmgo.Module: "tvmgo.load_module",
    tvmgo.Pointer: "functions that return an address",
    tvmgo.PreparedCall: "Function.prepare",
    tvmgo.Model: "tvmgo.Model.load",
    tvmgo.Binding: "Model.bind",
    tvmgo.Profile: "Model.profile",
    tvmgo.rpc.Session: "tvmgo.rpc.connect",
}


@pytest.mark.parametrize("cls", MAKERS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "args, named", [((), {}), (("deployed",), {}), (("x", 9090), {"path": "y"})]
)
def test_calling_the_class_tells_what_to_call(cls, args, named):
    with pytest.raises(TypeError) as raised:
        cls(*args, **named)
    name = f"{cls.__module__}.{cls.__name__}"
    assert (
        str(raised.value) == f"{name} objects are made by {MAKERS[cls]}, not by calling the class"
    )


@pytest.mark.parametrize("module", ["batch", "model", "serving"])
def test_names_that_are_imported_late_are_listed(module):
    package = __import__(f"tvmgo.{module}", fromlist=["__all__"])
    assert set(package.__all__) <= set(dir(package))
