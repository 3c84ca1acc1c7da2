// SPDX-License-Identifier: Apache-2.0
// A kernel that doubles a vector of float32, or does what FAULT says instead.
#include <stdio.h>
#include <stdlib.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

static float* data_of(const TVMFFIAny* arg) {
  DLTensor* tensor = arg->v_ptr;
  if (arg->type_index == kTVMFFITensor)
    tensor = (DLTensor*)((char*)arg->v_ptr + sizeof(TVMFFIObject));
  return (float*)((char*)tensor->data + tensor->byte_offset);
}

__attribute__((visibility("default"))) int __tvm_ffi_doubling(void* self, const TVMFFIAny* args,
                                                              int32_t num_args, TVMFFIAny* result) {
  for (int i = 0; i < SIZE; i++) data_of(&args[1])[i] = 2 * data_of(&args[0])[i];
  FAULT;
  return 0;
}
