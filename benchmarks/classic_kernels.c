// SPDX-License-Identifier: Apache-2.0
// The operator of the graph benchmark in the calling convention of TVM 0.7 to 0.20.
#include <stdint.h>

typedef union {
  int64_t v_int64;
  double v_float64;
  void* v_handle;
} TVMValue;

typedef struct {
  void* data;  // the rest of DLTensor is not read here
} DLTensor;

__attribute__((visibility("default"))) void (*__TVMAPISetLastError)(const char*) = 0;  // marks a classic library

// out = a + b for four float32; checks nothing, so that the executor's share shows.
__attribute__((visibility("default"))) int32_t add4(TVMValue* args, int32_t* codes, int32_t num_args,
                                                    TVMValue* ret, int32_t* ret_code, void* resource) {
  const float* a = ((DLTensor*)args[0].v_handle)->data;
  const float* b = ((DLTensor*)args[1].v_handle)->data;
  float* out = ((DLTensor*)args[2].v_handle)->data;
  for (int i = 0; i < 4; ++i) out[i] = a[i] + b[i];
  return 0;
}
