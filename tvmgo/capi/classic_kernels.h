// SPDX-License-Identifier: Apache-2.0
// Part of every library that is exported: its kernels, which have today's calling convention,
// called by that of TVM up to 0.20, and all that kernels need of a runtime, through variables that
// the loader of either convention sets. So the library itself needs neither runtime.
#ifndef TVMGO_CAPI_CLASSIC_KERNELS_H_
#define TVMGO_CAPI_CLASSIC_KERNELS_H_
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#define TVMGO_EXPORT __attribute__((visibility("default")))
#define TVMGO_HIDDEN __attribute__((visibility("hidden")))

// Declared as they are called here: neither TVM's headers nor those of a C library are needed,
// which may be for another machine.
typedef union {
  int64_t number;
  void* pointer;
} TVMGoValue;
typedef struct {
  int32_t type_index;
  uint32_t padding;
  TVMGoValue value;
} TVMGoAny;
typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t type_code, type_bits;
  uint16_t type_lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} TVMGoTensor;
typedef int TVMGoKernel(void* self, const void* args, int32_t num_args, void* result);

enum { kTVMGoClassicTensor = 7, kTVMGoClassicNDArray = 13 };
enum { kTVMGoInt = 1, kTVMGoTensorPtr = 7 };
enum { kTVMGoUIntCode = 1, kTVMGoBoolCode = 6 };

// How errors are told: by what the loader of TVM up to 0.20 has set here, and by the function of
// today's runtime, null where that is not.
TVMGO_EXPORT void (*__TVMAPISetLastError)(const char* message);
void TVMFFIErrorSetRaisedFromCStr(const char* kind, const char* message) __attribute__((weak));

static inline char* TVMGoJoin(const char** parts, int32_t count) {
  size_t length = 1;
  for (int32_t i = 0; i < count; ++i) length += parts[i] ? __builtin_strlen(parts[i]) : 0;
  char* text = (char*)__builtin_malloc(length);
  if (text == NULL) return NULL;
  *text = 0;
  for (int32_t i = 0; i < count; ++i) __builtin_strcat(text, parts[i] ? parts[i] : "");
  return text;
}

// Kernels call this, and are given it when the library is linked.
TVMGO_HIDDEN void TVMFFIErrorSetRaisedFromCStrParts(const char* kind, const char** parts,
                                                    int32_t count) {
  char* text = TVMGoJoin(parts, count);
  const char* message = text != NULL ? text : "no memory for the message";
  if (__TVMAPISetLastError != NULL) __TVMAPISetLastError(message);
  if (TVMFFIErrorSetRaisedFromCStr != NULL) TVMFFIErrorSetRaisedFromCStr(kind, message);
  __builtin_free(text);
}

// What stands in the other variables until a loader sets them.
static int TVMGoRefuse(void) {
  const char* text =
      "a kernel of this library calls functions of a TVM runtime that has not loaded the library";
  TVMFFIErrorSetRaisedFromCStrParts("RuntimeError", &text, 1);
  return -1;
}

typedef int TVMGoService(void);
TVMGO_EXPORT TVMGoService* __TVMFFIFunctionCall = TVMGoRefuse;
TVMGO_EXPORT TVMGoService* __TVMFFIHandleInitOnce = TVMGoRefuse;
TVMGO_EXPORT TVMGoService* __TVMFFIEnvModLookupFromImports = TVMGoRefuse;
TVMGO_EXPORT TVMGoService* __TVMBackendParallelLaunch = TVMGoRefuse;
TVMGO_EXPORT TVMGoService* __TVMBackendParallelBarrier = TVMGoRefuse;
TVMGO_EXPORT void* (*__TVMBackendAllocWorkspace)(int, int, uint64_t, int, int);
TVMGO_EXPORT int (*__TVMBackendFreeWorkspace)(int, int, void*);

// These two as well.
TVMGO_HIDDEN void* TVMBackendAllocWorkspace(int device_type, int device_id, uint64_t nbytes,
                                            int type_code, int type_bits) {
  if (__TVMBackendAllocWorkspace == NULL) {
    TVMGoRefuse();
    return NULL;
  }
  return __TVMBackendAllocWorkspace(device_type, device_id, nbytes, type_code, type_bits);
}

TVMGO_HIDDEN int TVMBackendFreeWorkspace(int device_type, int device_id, void* memory) {
  return __TVMBackendFreeWorkspace(device_type, device_id, memory);
}

static inline int TVMGoCallAsClassic(TVMGoKernel* kernel, const TVMGoValue* args, const int* codes,
                                     int32_t count) {
  const size_t room = count > 0 ? (size_t)count : 1;
  TVMGoAny* values = (TVMGoAny*)__builtin_alloca(room * sizeof(TVMGoAny));
  TVMGoTensor* bools = (TVMGoTensor*)__builtin_alloca(room * sizeof(TVMGoTensor));
  for (int32_t i = 0; i < count; ++i) {
    const int is_tensor = codes[i] == kTVMGoClassicTensor || codes[i] == kTVMGoClassicNDArray;
    values[i].type_index = is_tensor ? kTVMGoTensorPtr : kTVMGoInt;
    values[i].padding = 0;
    values[i].value = args[i];
    if (!is_tensor || args[i].pointer == NULL) continue;
    const TVMGoTensor* tensor = (const TVMGoTensor*)args[i].pointer;
    if (tensor->type_code == kTVMGoUIntCode && tensor->type_bits == 1) {  // bool, as it was
      bools[i] = *tensor;
      bools[i].type_code = kTVMGoBoolCode;
      bools[i].type_bits = 8;
      values[i].value.pointer = &bools[i];
    }
  }
  TVMGoAny result = {0, 0, {0}};
  return kernel(NULL, values, count, &result);
}

// The kernel of that name, by the old convention.
#define TVMGO_CLASSIC_KERNEL(name)                                                     \
  TVMGoKernel __tvm_ffi_##name;                                                        \
  TVMGO_EXPORT int name(const TVMGoValue* args, const int* codes, int32_t count,       \
                        TVMGoValue* result, int* result_code, void* resource_handle) { \
    (void)result, (void)result_code, (void)resource_handle;                            \
    return TVMGoCallAsClassic(__tvm_ffi_##name, args, codes, count);                   \
  }

#ifdef __cplusplus
}
#endif
#endif  // TVMGO_CAPI_CLASSIC_KERNELS_H_
