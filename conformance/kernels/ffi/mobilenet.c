// SPDX-License-Identifier: Apache-2.0
//
// The operators of the small classifier. Each checks that its tensors fit together, because a graph
// file can pair them as it likes.
#include "arguments.h"
#include "arithmetic.h"

static inline int mismatch(void) { return fail("ValueError", "the tensors' shapes do not fit"); }

// (image[1, height, width, channels], mean[1, 1, 1, channels])
KERNEL(global_avg_pool2d) {
  UNUSED;
  const DLTensor* t[2];
  if (take_tensors(args, num_args, t, 2) != 0) return -1;
  if (t[0]->ndim != 4 || t[0]->shape[0] != 1 || count_of(t[1]) != t[0]->shape[3]) return mismatch();
  mean_of_pixels(floats_of(t[0]), floats_of(t[1]), t[0]->shape[1] * t[0]->shape[2], t[0]->shape[3]);
  return 0;
}

// (x[1, columns], matrix[rows, columns], bias[rows], y[1, rows])
KERNEL(dense_bias) {
  UNUSED;
  const DLTensor* t[4];
  if (take_tensors(args, num_args, t, 4) != 0) return -1;
  if (t[1]->ndim != 2 || count_of(t[0]) != t[1]->shape[1] || count_of(t[2]) != t[1]->shape[0] ||
      count_of(t[3]) != t[1]->shape[0]) {
    return mismatch();
  }
  dense(floats_of(t[0]), floats_of(t[1]), floats_of(t[2]), floats_of(t[3]), t[1]->shape[0],
        t[1]->shape[1]);
  return 0;
}

// (x[1, classes], y[1, classes])
KERNEL(square_normalise) {
  UNUSED;
  const DLTensor* t[2];
  if (take_tensors(args, num_args, t, 2) != 0) return -1;
  if (count_of(t[0]) != count_of(t[1])) return mismatch();
  normalise_squares(floats_of(t[0]), floats_of(t[1]), count_of(t[0]));
  return 0;
}
