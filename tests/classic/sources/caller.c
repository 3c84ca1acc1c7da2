// SPDX-License-Identifier: Apache-2.0
// A function of today that calls another with the kinds of arguments which only C code passes.
#include <string.h>
#include <tvm/ffi/c_api.h>

// (function, tensor, which): calls the function with 0 a bare DLTensor, 1 a raw string, 2 a pointer
// to bytes, 3 a reference to an object that may be moved from; then with the number 0.
__attribute__((visibility("default"))) int __tvm_ffi_call_with(void* self, const TVMFFIAny* args,
                                                               int32_t num_args,
                                                               TVMFFIAny* result) {
  static const TVMFFIByteArray bytes = {"a\0b", 3};
  TVMFFIAny packed[2];
  memset(packed, 0, sizeof(packed));
  packed[1].type_index = kTVMFFIInt;
  TVMFFIObjectHandle object = args[1].v_obj;
  switch (args[2].v_int64) {
    case 0:
      packed[0].type_index = kTVMFFIDLTensorPtr;
      packed[0].v_ptr = (char*)args[1].v_obj + sizeof(TVMFFIObject);
      break;
    case 1:
      packed[0].type_index = kTVMFFIRawStr;
      packed[0].v_c_str = "raw";
      break;
    case 2:
      packed[0].type_index = kTVMFFIByteArrayPtr;
      packed[0].v_ptr = (void*)&bytes;
      break;
    default:
      packed[0].type_index = kTVMFFIObjectRValueRef;
      packed[0].v_ptr = &object;
  }
  return TVMFFIFunctionCall(args[0].v_obj, packed, 2, result);
}

// Fails without saying why.
__attribute__((visibility("default"))) int __tvm_ffi_fail_silently(void* self,
                                                                   const TVMFFIAny* args,
                                                                   int32_t num_args,
                                                                   TVMFFIAny* result) {
  return -1;
}
