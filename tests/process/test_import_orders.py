# SPDX-License-Identifier: Apache-2.0
"""tvmgo's wheel, which carries the runtime, and apache-tvm, which brings its own, in one process."""

import pytest

from tests.helpers import output_of
from tests.process.environments import in_bare

USES = (
    "import tvmgo",
    "kernels = tvmgo.load_module({kernels!r})",
    "argsort = tvmgo.get_global_function('tvm.contrib.sort.argsort')",
)

# Which files of each library are in memory, and whether they work.
REPORT = """
import numpy, tvm, tvm_ffi
order = tvmgo.empty(3, "int32")
argsort(tvmgo.array(numpy.array([3, 1, 2], "float32")), order, 0, True)
assert order.numpy().tolist() == [1, 2, 0]
assert kernels["sum_ints"](1, 2) == 3
assert tvm.get_global_func("runtime.NumThreads")() >= 1
assert tvm_ffi.convert(lambda f: f(1, 2))(kernels["sum_ints"]) == 3
with open("/proc/self/maps") as maps:
    files = {line.split()[-1] for line in maps if "/libtvm_" in line}
for library in ("libtvm_ffi.so", "libtvm_runtime.so", "libtvm_runtime_extra.so"):
    [file] = [file for file in files if file.endswith("/" + library)]
print(tvmgo.__file__)
"""


@pytest.mark.apache_tvm
@pytest.mark.parametrize("first", ["", "import tvm_ffi"], ids=["", "after tvm_ffi"])
@pytest.mark.parametrize("place", range(len(USES) + 1))
def test_tvm_meets_no_second_copy(like_a_wheel, kernels_path, first, place):
    lines = [first, *USES[:place], "import tvm", *USES[place:]]
    code = "\n".join(lines).format(kernels=str(kernels_path)) + REPORT
    used = output_of(code, path=[like_a_wheel]).strip()
    assert used == str(like_a_wheel / "tvmgo" / "__init__.py")


def test_without_apache_tvm_the_wheels_runtime_is_used(bare, like_a_wheel, kernels_path):
    code = f"""
        import tvmgo
        print(tvmgo.load_module({str(kernels_path)!r})["sum_ints"](1, 2),
              tvmgo._native.locate.libraries()["tvm_runtime"])
    """
    library = like_a_wheel / "tvmgo" / "_native" / "lib" / "libtvm_runtime.so"
    assert in_bare(bare, code, more=[like_a_wheel]) == f"3 {library}\n"
