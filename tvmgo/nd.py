# SPDX-License-Identifier: Apache-2.0
"""Array functions under the name older TVM scripts know (``tvm.nd``)."""
from tvmgo.array import Array as NDArray
from tvmgo.array import array, empty, from_dlpack

__all__ = ["NDArray", "array", "empty", "from_dlpack"]
