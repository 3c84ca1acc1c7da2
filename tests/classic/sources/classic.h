// SPDX-License-Identifier: Apache-2.0
// The calling convention of libraries compiled by TVM 0.7 to 0.20, written out, so that test
// libraries need no header of any TVM.
#ifndef TVMGO_TESTS_CLASSIC_H_
#define TVMGO_TESTS_CLASSIC_H_

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int32_t type, id;
} Device;

typedef struct {
  uint8_t code, bits;
  uint16_t lanes;
} DType;

typedef struct {
  void* data;
  Device device;
  int32_t ndim;
  DType dtype;
  int64_t* shape;
  int64_t* strides;
  uint64_t byte_offset;
} Tensor;

typedef union {
  int64_t number;
  double real;
  void* pointer;
  const char* text;
  DType dtype;
  Device device;
} Cell;

typedef struct {
  const char* data;
  size_t size;
} Bytes;

typedef struct {
  void* sync;
  int32_t num_task;
} Env;

enum {
  INT,
  UINT,
  FLOAT,
  OPAQUE,
  NONE,
  DTYPE,
  DEVICE,
  TENSOR,
  OBJECT,
  MODULE,
  FUNCTION,
  TEXT,
  BYTES,
  NDARRAY,
  RVALUE,
  BOOL
};

#define EXPORT __attribute__((visibility("default")))
#define PARAMETERS \
  Cell *args, int32_t *codes, int32_t num_args, Cell *ret, int32_t *ret_code, void *resource
#define FUNCTION_OF(name) EXPORT int32_t name(PARAMETERS)

// A variable the loader fills; weak, as in compiled code.
#define VARIABLE EXPORT __attribute__((weak))

#endif
