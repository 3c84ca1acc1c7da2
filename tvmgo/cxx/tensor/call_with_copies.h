// SPDX-License-Identifier: Apache-2.0
//
// Calls of functions with copies of the tensors that they cannot take as they are. C and C++.
#ifndef TVMGO_CXX_TENSOR_CALL_WITH_COPIES_H_
#define TVMGO_CXX_TENSOR_CALL_WITH_COPIES_H_

#include <tvm/ffi/c_api.h>

#include "capi/kernel_rules.h"

#ifdef __cplusplus
extern "C" {
#endif

// How to enter a function: what TVMFFIFunctionCall would look up.
typedef struct {
  TVMFFISafeCallType call;
  void* self;  // what `call` wants first; borrowed
} TVMGoCallee;

// Whether it is a tensor in host memory that no object owns, such as compiled code builds on its
// stack: gone when the call returns.
static inline int TVMGoIsBareOnHost(const TVMFFIAny* any) {
  return any->type_index == kTVMFFIDLTensorPtr &&
         TVMGoIsHost(((const DLTensor*)any->v_ptr)->device);
}

// A TVMFFISafeCallType whose `callee` is a TVMGoCallee, which is called with the same arguments,
// save that tensors for which TVMGoNeedsCopy is true are replaced by aligned copies. When it has
// succeeded, what it changed in them is written back. The arguments themselves stay as they are.
__attribute__((visibility("default"))) int TVMGoCallWithCopies(void* callee, const TVMFFIAny* args,
                                                               int32_t num_args, TVMFFIAny* result);

// The same for a function that may keep its arguments: tensors for which TVMGoIsBareOnHost is true
// are replaced.
__attribute__((visibility("default"))) int TVMGoCallWithOwned(void* callee, const TVMFFIAny* args,
                                                              int32_t num_args, TVMFFIAny* result);

#ifdef __cplusplus
}
#endif

#endif  // TVMGO_CXX_TENSOR_CALL_WITH_COPIES_H_
