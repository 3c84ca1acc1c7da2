// SPDX-License-Identifier: Apache-2.0
// What the benchmarks call, in the calling convention of compiled modules: a function that does
// nothing, and one that proves the arguments arrive as they were given.
#include <string.h>
#include <tvm/ffi/c_api.h>

#define KERNEL(name)                                                                        \
  TVM_FFI_DLL_EXPORT int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t num_args, \
                                          TVMFFIAny* result)

KERNEL(nop) { return 0; }

// out = a + b for four float32; checks nothing, so that the executor's share shows.
KERNEL(add4) {
  const float* operands[3];
  for (int i = 0; i < 3; ++i) {
    operands[i] = ((const DLTensor*)((char*)args[i].v_ptr + sizeof(TVMFFIObject)))->data;
  }
  for (int i = 0; i < 4; ++i) ((float*)operands[2])[i] = operands[0][i] + operands[1][i];
  return 0;
}

// The same with checks like those TVM puts into compiled functions.
KERNEL(add4_checked) {
  const char* wrong = num_args == 3 ? NULL : "expected 3 arguments";
  for (int i = 0; i < 3 && wrong == NULL; ++i) {
    const DLTensor* tensor = (const DLTensor*)((char*)args[i].v_ptr + sizeof(TVMFFIObject));
    if (args[i].type_index != kTVMFFITensor) {
      wrong = "expected a tensor";
    } else if (tensor->ndim != 1 || tensor->shape[0] != 4) {
      wrong = "expected the shape (4,)";
    } else if (tensor->dtype.code != kDLFloat || tensor->dtype.bits != 32 ||
               tensor->dtype.lanes != 1) {
      wrong = "expected float32";
    } else if (tensor->strides != NULL && tensor->strides[0] != 1) {
      wrong = "expected a compact tensor";
    } else if (tensor->byte_offset != 0) {
      wrong = "expected a byte offset of 0";
    } else if (tensor->device.device_type != kDLCPU || tensor->device.device_id != 0) {
      wrong = "expected a tensor on cpu:0";
    }
  }
  if (wrong != NULL) {
    TVMFFIErrorSetRaisedFromCStr("ValueError", wrong);
    return -1;
  }
  return __tvm_ffi_add4(self, args, num_args, result);
}

static int64_t first_element(const DLTensor* tensor) {
  return (int64_t)*(const float*)((const char*)tensor->data + tensor->byte_offset);
}

// The sum over the arguments of an int's value, a string's bytes, a float32 tensor's first element.
KERNEL(checksum) {
  int64_t sum = 0;
  for (int32_t i = 0; i < num_args; ++i) {
    switch (args[i].type_index) {
      case kTVMFFIInt:
        sum += args[i].v_int64;
        break;
      case kTVMFFIRawStr:
        sum += (int64_t)strlen(args[i].v_c_str);
        break;
      case kTVMFFIStr:
        sum += (int64_t)((TVMFFIByteArray*)((char*)args[i].v_ptr + sizeof(TVMFFIObject)))->size;
        break;
      case kTVMFFITensor:
        sum += first_element((DLTensor*)((char*)args[i].v_ptr + sizeof(TVMFFIObject)));
        break;
      case kTVMFFIDLTensorPtr:
        sum += first_element((DLTensor*)args[i].v_ptr);
        break;
      default:
        TVMFFIErrorSetRaisedFromCStr("TypeError", "checksum: an argument of another kind");
        return -1;
    }
  }
  result->type_index = kTVMFFIInt;
  result->v_int64 = sum;
  return 0;
}
