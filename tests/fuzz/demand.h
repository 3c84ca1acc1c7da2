// SPDX-License-Identifier: Apache-2.0
//
// What ends the process when it is not so.
#ifndef TVMGO_TESTS_FUZZ_DEMAND_H_
#define TVMGO_TESTS_FUZZ_DEMAND_H_

#include <cstdio>
#include <cstdlib>

#define DEMAND(condition)                                                                  \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (0)

#endif  // TVMGO_TESTS_FUZZ_DEMAND_H_
