// SPDX-License-Identifier: Apache-2.0
//
// What the kernels compute, free of any calling convention. Single precision in one fixed order,
// so that the results are the same bits on every machine.
#ifndef CONFORMANCE_ARITHMETIC_H_
#define CONFORMANCE_ARITHMETIC_H_

#include <stdint.h>

// sum[count] = a[count] + b[count]
static inline void add(const float* a, const float* b, float* sum, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sum[i] = a[i] + b[i];
}

// mean[channels] of image[pixels, channels] over the pixels, first pixel first
static inline void mean_of_pixels(const float* image, float* mean, int64_t pixels,
                                  int64_t channels) {
  for (int64_t channel = 0; channel < channels; ++channel) {
    float sum = 0.0f;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) sum += image[pixel * channels + channel];
    mean[channel] = sum / (float)pixels;
  }
}

// y[rows] = bias[rows] + matrix[rows, columns] . x[columns], bias first
static inline void dense(const float* x, const float* matrix, const float* bias, float* y,
                         int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) {
    float sum = bias[row];
    for (int64_t column = 0; column < columns; ++column) {
      sum += x[column] * matrix[row * columns + column];
    }
    y[row] = sum;
  }
}

// y[count] = x * x / sum of x * x; what a softmax does, without exp, which is not exact
static inline void normalise_squares(const float* x, float* y, int64_t count) {
  float sum = 0.0f;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * x[i];
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] * x[i] / sum;
}

#endif  // CONFORMANCE_ARITHMETIC_H_
