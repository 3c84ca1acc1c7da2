// SPDX-License-Identifier: Apache-2.0
// The operator of the graph benchmark in the calling convention of TVM 0.7 to 0.20.
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

typedef union {
  int64_t v_int64;
  double v_float64;
  void* v_handle;
} TVMValue;

typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} DLTensor;

EXPORT void (*__TVMAPISetLastError)(const char*) = 0;  // marks a classic library

// out = a + b for four float32; checks nothing, so that the executor's share shows.
EXPORT int32_t add4(TVMValue* args, int32_t* codes, int32_t num_args, TVMValue* ret,
                    int32_t* ret_code, void* resource) {
  const float* a = ((DLTensor*)args[0].v_handle)->data;
  const float* b = ((DLTensor*)args[1].v_handle)->data;
  float* out = ((DLTensor*)args[2].v_handle)->data;
  for (int i = 0; i < 4; ++i) out[i] = a[i] + b[i];
  return 0;
}

// The same with the checks that TVM put into compiled functions.
EXPORT int32_t add4_checked(TVMValue* args, int32_t* codes, int32_t num_args, TVMValue* ret,
                            int32_t* ret_code, void* resource) {
  const char* wrong = NULL;
  if (num_args != 3) wrong = "Assert fail: num_args == 3, add4_checked: num_args should be 3";
  for (int i = 0; i < 3 && wrong == NULL; ++i) {
    const DLTensor* tensor = args[i].v_handle;
    if (codes[i] != 3 && codes[i] != 4 && codes[i] != 7 && codes[i] != 13) {
      wrong = "Assert fail: expected a pointer";
    } else if (tensor->ndim != 1) {
      wrong = "Assert fail: ndim is expected to equal 1";
    } else if (tensor->code != 2 || tensor->bits != 32 || tensor->lanes != 1) {
      wrong = "Assert fail: dtype is expected to be float32";
    } else if (tensor->shape[0] != 4) {
      wrong = "Assert fail: shape[0] is expected to equal 4";
    } else if (tensor->strides != NULL && tensor->strides[0] != 1) {
      wrong = "Assert fail: expected to be compact array";
    } else if (tensor->byte_offset != 0) {
      wrong = "Assert fail: byte_offset is expected to equal 0";
    } else if (tensor->device_type != 1 || tensor->device_id != 0) {
      wrong = "Assert fail: device is expected to be cpu:0";
    }
  }
  if (wrong != NULL) {
    __TVMAPISetLastError(wrong);
    return -1;
  }
  return add4(args, codes, num_args, ret, ret_code, resource);
}
