// SPDX-License-Identifier: Apache-2.0
//
// The operators of the small classifier for the classic calling convention. Like most libraries of
// the time it looks at nothing but the tensors: the graph says what they are.
#include "abi.h"
#include "arithmetic.h"

CLASSIC_FUNCTION(global_avg_pool2d) {
  const int64_t* shape = tensor_at(&args[0])->shape;
  mean_of_pixels(floats_of(&args[0]), floats_of(&args[1]), shape[1] * shape[2], shape[3]);
  return 0;
}

CLASSIC_FUNCTION(dense_bias) {
  const int64_t* shape = tensor_at(&args[1])->shape;
  dense(floats_of(&args[0]), floats_of(&args[1]), floats_of(&args[2]), floats_of(&args[3]),
        shape[0], shape[1]);
  return 0;
}

CLASSIC_FUNCTION(square_normalise) {
  normalise_squares(floats_of(&args[0]), floats_of(&args[1]), tensor_at(&args[0])->shape[1]);
  return 0;
}
