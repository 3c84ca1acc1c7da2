// SPDX-License-Identifier: Apache-2.0
//
// A library with a parameter linked into it.
#include <stdlib.h>
#include <tvm/ffi/c_api.h>

#define EXPORT __attribute__((visibility("default")))
#define ARGS void *self, const TVMFFIAny *args, int32_t num_args, TVMFFIAny *result

// In read-only memory: whoever writes here ends the process.
static const float weights[2] __attribute__((aligned(128))) = {1.5f, -2.0f};

// (storage id) -> address of the weights for 7, null for 8, None for others; nonsense for 13.
EXPORT int __tvm_ffi__lookup_linked_param(ARGS) {
  int64_t id = args[0].v_int64;
  result->type_index = id == 7 || id == 8 ? kTVMFFIOpaquePtr : id == 13 ? kTVMFFIInt : kTVMFFINone;
  result->v_ptr = id == 7 ? (void*)weights : NULL;
  return 0;
}

// (tensor, ..., out): writes the address of the first argument's data to out.
EXPORT int __tvm_ffi_address_of(ARGS) {
  const char *x = args[0].v_ptr, *out = args[num_args - 1].v_ptr;
  const DLTensor* from = (const DLTensor*)(x + sizeof(TVMFFIObject));
  const DLTensor* to = (const DLTensor*)(out + sizeof(TVMFFIObject));
  *(int64_t*)to->data = (int64_t)from->data;
  return 0;
}

EXPORT int __tvm_ffi_weights(ARGS) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = (int64_t)weights;
  return 0;
}
