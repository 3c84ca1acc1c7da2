// SPDX-License-Identifier: Apache-2.0
// What tells callgrind, from inside the process it watches, when to count.
#include <valgrind/callgrind.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void start(void) { CALLGRIND_START_INSTRUMENTATION; }
EXPORT void zero(void) { CALLGRIND_ZERO_STATS; }
EXPORT void dump(const char* label) { CALLGRIND_DUMP_STATS_AT(label); }
