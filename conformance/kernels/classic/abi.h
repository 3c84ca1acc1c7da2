// SPDX-License-Identifier: Apache-2.0
//
// How TVM 0.7 to 0.20 called compiled functions: a value per argument, its kind in a second array,
// and room for one result. Written down here so that the suite needs no header of an old TVM.
#ifndef CONFORMANCE_CLASSIC_ABI_H_
#define CONFORMANCE_CLASSIC_ABI_H_

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int32_t device_type;
  int32_t device_id;
} DLDevice;

typedef struct {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} DLDataType;

typedef struct {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
} DLTensor;

typedef union {
  int64_t v_int64;
  double v_float64;
  void* v_handle;
  const char* v_str;
  DLDataType v_type;
  DLDevice v_device;
} TVMValue;

typedef struct {
  const char* data;
  size_t size;
} TVMByteArray;

// Kinds of values.
enum {
  kInt = 0,
  kUInt = 1,
  kFloat = 2,
  kHandle = 3,
  kNull = 4,
  kDataType = 5,
  kDevice = 6,
  kDLTensor = 7,
  kFunction = 10,
  kStr = 11,
  kBytes = 12,
  kNDArray = 13,
};

#define CLASSIC_EXPORT __attribute__((visibility("default")))

// The parameters of every compiled function. It returns 0, or says why not and returns non-zero.
#define CLASSIC_PARAMETERS                                                                        \
  const TVMValue *args, const int32_t *codes, int32_t num_args, TVMValue *ret, int32_t *ret_code, \
      void *resource

#define CLASSIC_FUNCTION(name) CLASSIC_EXPORT int32_t name(CLASSIC_PARAMETERS)

static inline int is_tensor(int32_t code) {
  return code == kDLTensor || code == kNDArray || code == kHandle;
}

static inline const DLTensor* tensor_at(const TVMValue* value) {
  return (const DLTensor*)value->v_handle;
}

static inline float* floats_of(const TVMValue* value) {
  const DLTensor* tensor = tensor_at(value);
  return (float*)((char*)tensor->data + tensor->byte_offset);
}

static inline int64_t elements_of(const DLTensor* tensor) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor->ndim; ++i) count *= tensor->shape[i];
  return count;
}

#endif  // CONFORMANCE_CLASSIC_ABI_H_
