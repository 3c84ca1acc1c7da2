// SPDX-License-Identifier: Apache-2.0
//
// The library of gotvm's `simple` sample.
#include "arguments.h"
#include "arithmetic.h"

// (a, b, sum): sum = a + b
KERNEL(myadd) {
  UNUSED;
  const DLTensor* t[3];
  if (take_tensors(args, num_args, t, 3) != 0) return -1;
  const int64_t count = count_of(t[0]);
  if (count_of(t[1]) != count || count_of(t[2]) != count) {
    return fail("ValueError", "expected tensors of one size");
  }
  add(floats_of(t[0]), floats_of(t[1]), floats_of(t[2]), count);
  return 0;
}
