// SPDX-License-Identifier: Apache-2.0
//
// What tests of the graph executor can have from native code only.
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

#define ARGS void *self, const TVMFFIAny *args, int32_t num_args, TVMFFIAny *result
#define EXPORT __attribute__((visibility("default")))

static int copies;

// (shape of one dimension, dtype, device, scope): host memory under the name of that device.
EXPORT int __tvm_ffi_allocate(ARGS) {
  const char* object = args[0].v_ptr;
  int64_t length = ((const TVMFFIShapeCell*)(object + sizeof(TVMFFIObject)))->data[0];
  DLManagedTensor* managed = calloc(1, sizeof(*managed) + sizeof(int64_t) + 4 * length);
  int64_t* shape = (int64_t*)(managed + 1);
  shape[0] = length;
  managed->dl_tensor.data = shape + 1;
  managed->dl_tensor.device = args[2].v_device;
  managed->dl_tensor.ndim = 1;
  managed->dl_tensor.dtype = args[1].v_dtype;
  managed->dl_tensor.shape = shape;
  managed->deleter = (void (*)(DLManagedTensor*))free;
  result->type_index = kTVMFFITensor;
  return TVMFFITensorFromDLPack(managed, 0, 0, &result->v_ptr);
}

static DLTensor* tensor(const TVMFFIAny* arg) {
  char* object = arg->v_ptr;
  return (DLTensor*)(arg->type_index == kTVMFFITensor ? object + sizeof(TVMFFIObject) : object);
}

// (from, to)
EXPORT int __tvm_ffi_copy(ARGS) {
  DLTensor *from = tensor(&args[0]), *to = tensor(&args[1]);
  int64_t nbytes = from->dtype.bits / 8;
  for (int i = 0; i < from->ndim; ++i) nbytes *= from->shape[i];
  memcpy(to->data, from->data, nbytes);
  ++copies;
  return 0;
}

EXPORT int __tvm_ffi_count_copies(ARGS) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = copies;
  return 0;
}

// (function, key, bits): calls function(key, t) with a strided tensor that no object owns, holding
// the elements 1 and 2 at every other place of { 1, 9, 2, 9 }.
EXPORT int __tvm_ffi_call_with_bare_tensor(ARGS) {
  float data[4] = {1, 9, 2, 9};
  int64_t shape[1] = {2}, strides[1] = {2};
  DLTensor t = {data, {kDLCPU, 0}, 1, {kDLFloat, (uint8_t)args[2].v_int64, 1}, shape, strides, 0};
  TVMFFIAny passed[2] = {args[1], {.type_index = kTVMFFIDLTensorPtr}};
  passed[1].v_ptr = &t;
  return TVMFFIFunctionCall(args[0].v_ptr, passed, 2, result);
}
