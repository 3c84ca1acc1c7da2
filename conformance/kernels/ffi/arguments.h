// SPDX-License-Identifier: Apache-2.0
//
// Kernels in today's calling convention: for a function <name> a library exports __tvm_ffi_<name>.
#ifndef CONFORMANCE_FFI_ARGUMENTS_H_
#define CONFORMANCE_FFI_ARGUMENTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tvm/ffi/c_api.h>

#define KERNEL(name)                                                                           \
  TVM_FFI_DLL_EXPORT int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t num_args, \
                                          TVMFFIAny* result)

// Nothing is returned: the caller has set the result to None.
#define UNUSED (void)self, (void)result

static inline int fail(const char* kind, const char* message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return -1;
}

// A tensor arrives as an object, whose DLTensor follows the header, or as a bare DLTensor*.
static inline const DLTensor* tensor_of(const TVMFFIAny* arg) {
  if (arg->type_index == kTVMFFITensor) {
    return (const DLTensor*)((const char*)arg->v_obj + sizeof(TVMFFIObject));
  }
  return arg->type_index == kTVMFFIDLTensorPtr ? (const DLTensor*)arg->v_ptr : NULL;
}

static inline int64_t count_of(const DLTensor* tensor) {
  int64_t count = 1;
  for (int32_t i = 0; i < tensor->ndim; ++i) count *= tensor->shape[i];
  return count;
}

static inline float* floats_of(const DLTensor* tensor) {
  return (float*)((char*)tensor->data + tensor->byte_offset);
}

static inline bool is_compact(const DLTensor* tensor) {
  int64_t step = 1;
  if (tensor->strides == NULL) return true;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    if (tensor->shape[i] != 1 && tensor->strides[i] != step) return false;
    step *= tensor->shape[i];
  }
  return true;
}

// Read the arguments of a kernel that takes `count` compact float32 tensors in host memory.
static inline int take_tensors(const TVMFFIAny* args, int32_t num_args, const DLTensor** tensors,
                               int32_t count) {
  if (num_args != count) return fail("TypeError", "wrong number of arguments");
  for (int32_t i = 0; i < count; ++i) {
    const DLTensor* tensor = tensor_of(&args[i]);
    if (tensor == NULL) return fail("TypeError", "expected tensors");
    if (tensor->dtype.code != kDLFloat || tensor->dtype.bits != 32 || tensor->dtype.lanes != 1) {
      return fail("TypeError", "expected tensors of float32");
    }
    if (tensor->device.device_type != kDLCPU) return fail("ValueError", "expected host memory");
    if (!is_compact(tensor)) return fail("ValueError", "expected compact tensors");
    tensors[i] = tensor;
  }
  return 0;
}

#endif  // CONFORMANCE_FFI_ARGUMENTS_H_
