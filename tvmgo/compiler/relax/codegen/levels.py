# SPDX-License-Identifier: Apache-2.0
"""One library for processors of several levels: each kernel once for each, chosen when it is loaded.

A constructor of the library asks the processor once. A kernel's public symbol looks at the arguments,
by code that all levels share, and is then one indirect jump. (GNU's ifunc would do that too, but asks
before anything of the library can run, and only on some systems.)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# The levels of x86-64 that a library has by default; the lowest is what it needs.
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")

# What multiplies bytes, which the highest level has not: a library whose kernels do that asks for it,
# and goes one level down where it is absent.
FOR_BYTES = {"x86-64-v4": ["+avx512vnni"]}

# Limits the level: a variable of the environment, such as v3.
VARIABLE = "TVMGO_CPU_LEVEL"

CPU_FEATURES = Path(__file__).parents[3] / "capi" / "cpu_features.h"


def level_suffix(level: str) -> str:
    """What the symbols of a level end with."""
    return "__" + level.rpartition("-")[2]


def dispatch_source(
    symbols: Sequence[str], levels: Sequence[tuple[str, Sequence[str]]], checks: str
) -> str:
    """C or C++ that calls the best kernels the processor can run.

    These believe their arguments, and are therefore hidden from other libraries.

    Parameters
    ----------
    symbols : sequence of str
        Of the kernels, without suffix.
    levels : sequence of (str, sequence of str)
        The suffix of each level's symbols and the features it needs, the lowest first. The suffix
        ends with the level's number, which the library tells as ``__tvmgo_cpu_level``; to that with
        the suffix it tells, for who only looks, that it has the level.
    checks : str
        The suffix of what looks at a kernel's arguments first.
    """
    numbers = [int(suffix[-1]) for suffix, _ in levels]
    names = [f"__tvm_ffi_{symbol}" for symbol in symbols]
    suffixes = [checks, *(suffix for suffix, _ in levels)]
    declarations = "\n".join(f"HIDDEN Kernel {name}{each};" for each in suffixes for name in names)
    rows = "\n".join(
        "    {" + ", ".join(f"{name}{suffix}" for name in names) + "}," for suffix, _ in levels
    )
    needs = "\n".join(f'    "{",".join(features)}",' for _, features in levels)
    present = "\n".join(f"EXPORT char __tvmgo_cpu_level{suffix};" for suffix, _ in levels)
    entries = "\n".join(
        f"EXPORT int {name}(void* self, const void* args, int num_args, void* result) {{\n"
        f"  const int failed = {name}{checks}(self, args, num_args, result);\n"
        f"  return failed ? failed : chosen[{i}](self, args, num_args, result);\n}}"
        for i, name in enumerate(names)
    )
    return f"""\
#include <stdlib.h>
{CPU_FEATURES.read_text(encoding="utf-8")}
#ifdef __cplusplus
extern "C" {{
#endif
#define EXPORT __attribute__((visibility("default")))
#define HIDDEN __attribute__((visibility("hidden")))
typedef int Kernel(void* self, const void* args, int num_args, void* result);
{declarations}
static Kernel* const kernels[][{len(names)}] = {{
{rows}
}};
static const char* const needs[] = {{
{needs}
}};
static const int numbers[] = {{{", ".join(map(str, numbers))}}};
static Kernel* const* chosen = kernels[0];
EXPORT int __tvmgo_cpu_level = {numbers[0]};
{present}

__attribute__((constructor)) static void choose(void) {{
  const char* limit = getenv("{VARIABLE}");
  const int highest = limit && *limit ? limit[strlen(limit) - 1] - '0' : 9;
  for (int i = 1; i < {len(levels)}; ++i) {{
    if (numbers[i] <= highest && !TVMGoMissingCpuFeature(needs[i])) {{
      chosen = kernels[i];
      __tvmgo_cpu_level = numbers[i];
    }}
  }}
}}

{entries}
#ifdef __cplusplus
}}
#endif
"""
