// SPDX-License-Identifier: Apache-2.0
// Three operators of a small image classifier, with no marker of any generation, as the `c` target
// writes them. Exact single-precision arithmetic in a fixed order.
#include "classic.h"

static float* data_of(const Cell* cell) { return ((const Tensor*)cell->pointer)->data; }
static const int64_t* shape_of(const Cell* cell) { return ((const Tensor*)cell->pointer)->shape; }

// x[1, H, W, C] to the means over H and W, y[1, 1, 1, C].
FUNCTION_OF(mean_of_channels) {
  const float* x = data_of(&args[0]);
  float* y = data_of(&args[1]);
  const int64_t* shape = shape_of(&args[0]);
  const int64_t pixels = shape[1] * shape[2];
  for (int64_t c = 0; c < shape[3]; ++c) {
    float sum = 0;
    for (int64_t i = 0; i < pixels; ++i) sum += x[i * shape[3] + c];
    y[c] = sum / (float)pixels;
  }
  return 0;
}

// y[1, N] = b[N] + x[1, K] w[N, K]^T
FUNCTION_OF(weigh) {
  const float *x = data_of(&args[0]), *w = data_of(&args[1]), *b = data_of(&args[2]);
  float* y = data_of(&args[3]);
  const int64_t* shape = shape_of(&args[1]);
  for (int64_t n = 0; n < shape[0]; ++n) {
    float sum = b[n];
    for (int64_t k = 0; k < shape[1]; ++k) sum += x[k] * w[n * shape[1] + k];
    y[n] = sum;
  }
  return 0;
}

// y = x x / sum(x x)
FUNCTION_OF(normalise_squares) {
  const float* x = data_of(&args[0]);
  float* y = data_of(&args[1]);
  const int64_t n = shape_of(&args[0])[1];
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * x[i] / sum;
  return 0;
}
