// SPDX-License-Identifier: Apache-2.0
// What is uploaded: a graph's operators, and functions that behave badly.
#define _GNU_SOURCE
#include <stdlib.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#define KERNEL(name)                                                                             \
  __attribute__((visibility("default"))) int __tvm_ffi_##name(void* self, const TVMFFIAny* args, \
                                                              int32_t num_args, TVMFFIAny* result)

static float* data(const TVMFFIAny* arg) {
  const DLTensor* t = arg->type_index == kTVMFFIDLTensorPtr
                          ? (const DLTensor*)arg->v_ptr
                          : (const DLTensor*)((const char*)arg->v_ptr + sizeof(TVMFFIObject));
  return (float*)((char*)t->data + t->byte_offset);
}

KERNEL(add) {
  for (int i = 0; i < 2; ++i) data(&args[2])[i] = data(&args[0])[i] + data(&args[1])[i];
  return 0;
}

KERNEL(square) {
  for (int i = 0; i < 2; ++i) data(&args[1])[i] = data(&args[0])[i] * data(&args[0])[i];
  return 0;
}

KERNEL(nap) {
  usleep((useconds_t)(args[0].v_int64 * 1000));
  result->type_index = kTVMFFIInt;
  result->v_int64 = args[0].v_int64;
  return 0;
}

KERNEL(crash) { abort(); }

KERNEL(fail) {
  TVMFFIErrorSetRaisedFromCStr("ValueError", "the kernel fails");
  return -1;
}
