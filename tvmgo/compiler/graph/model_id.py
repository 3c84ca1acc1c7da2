# SPDX-License-Identifier: Apache-2.0
"""The number that all files of one export have in common.

The executor refuses a library or parameters with another number than the graph's, so that files of
two exports are not mixed. It is derived from the content, so that the same model gives the same
files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

from tvmgo.compiler.graph.params import write_params

# The graph's attribute, the library's function, the entry of the parameters.
MODEL_ID = "tvmgo_model_id"

# The graph holds it as two numbers: TVM's executors skip lists of 32-bit integers only.
HALF_BITS = 31


def model_id(graph: str, params: Mapping[str, np.ndarray], objects: Iterable[bytes]) -> int:
    """Return the number for a graph's text, its parameters and its compiled kernels."""
    contents = hashlib.sha256()
    for part in (graph.encode(), *objects):
        contents.update(len(part).to_bytes(8, "little") + part)
    write_params(contents.update, params)
    return int.from_bytes(contents.digest()[:8], "little") % (1 << 2 * HALF_BITS)


def halves(number: int) -> list[int]:
    """The upper and the lower half of a number."""
    return [number >> HALF_BITS, number % (1 << HALF_BITS)]


def library_source(number: int, cpu_features: Iterable[str]) -> str:
    """What a library says of itself, in C or C++.

    A function of either of TVM's calling conventions returns the number; a string names the
    instructions that its kernels may use, which `load_module` looks for in the processor.
    """
    return (
        classic_library_source(number, cpu_features)
        + f"""\
#ifdef __cplusplus
extern "C" {{
#endif
struct Result {{
  int type_index;  /* 1: an integer */
  unsigned padding;
  long long value;
}};
__attribute__((visibility("default")))
int __tvm_ffi_{MODEL_ID}(void* self, const void* args, int num_args, struct Result* result) {{
  (void)self, (void)args, (void)num_args;
  result->type_index = 1;
  result->padding = 0;
  result->value = {number};
  return 0;
}}
#ifdef __cplusplus
}}
#endif
"""
    )


def classic_library_source(number: int, cpu_features: Iterable[str]) -> str:
    """The same, with the calling convention of TVM up to 0.20 alone."""
    return f"""\
#ifdef __cplusplus
extern "C" {{
#endif
__attribute__((visibility("default"))) extern const char tvmgo_cpu_features[];
const char tvmgo_cpu_features[] = "{",".join(cpu_features)}";
__attribute__((visibility("default")))
int {MODEL_ID}(void* args, int* type_codes, int num_args, long long* result, int* type_code,
               void* resource) {{
  (void)args, (void)type_codes, (void)num_args, (void)resource;
  *result = {number};
  *type_code = 0;  /* an integer */
  return 0;
}}
#ifdef __cplusplus
}}
#endif
"""
