// SPDX-License-Identifier: Apache-2.0
// What the benchmarks call, in the calling convention of compiled modules.
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tvm/ffi/c_api.h>

#define KERNEL(name)                                                                           \
  TVM_FFI_DLL_EXPORT int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t num_args, \
                                          TVMFFIAny* result)

static void* content(const TVMFFIAny* value) { return (char*)value->v_ptr + sizeof(TVMFFIObject); }

KERNEL(nop) { return 0; }

// For this error libtvm_ffi walks the C stack and writes down what it finds.
KERNEL(fail) {
  TVMFFIErrorSetRaisedFromCStr("ValueError", "this kernel always fails");
  return -1;
}

#define BYTES(literal) {literal, sizeof(literal) - 1}

// The same error with an empty backtrace.
KERNEL(fail_plainly) {
  static const TVMFFIByteArray kind = BYTES("ValueError");
  static const TVMFFIByteArray message = BYTES("this kernel always fails"), backtrace = BYTES("");
  TVMFFIObjectHandle error;
  if (TVMFFIErrorCreate(&kind, &message, &backtrace, &error) != 0) return -1;
  TVMFFIErrorSetRaised(error);
  TVMFFIObjectDecRef(error);
  return -1;
}

// out = a + b for four float32; checks nothing, so that the executor's share shows.
KERNEL(add4) {
  const float* operands[3];
  for (int i = 0; i < 3; ++i) operands[i] = ((const DLTensor*)content(&args[i]))->data;
  for (int i = 0; i < 4; ++i) ((float*)operands[2])[i] = operands[0][i] + operands[1][i];
  return 0;
}

// The same with checks like those TVM puts into compiled functions.
KERNEL(add4_checked) {
  const char* wrong = num_args == 3 ? NULL : "expected 3 arguments";
  for (int i = 0; i < 3 && wrong == NULL; ++i) {
    const DLTensor* tensor = content(&args[i]);
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

// Works for 50 us. The clock is the thread's own: time spent waiting for a core is no work.
KERNEL(work) {
  struct timespec start, now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  } while ((now.tv_sec - start.tv_sec) * 1000000000 + (now.tv_nsec - start.tv_nsec) < 50000);
  return 0;
}

// Returns `fail_plainly` as a function that no module stands behind.
KERNEL(make_fail_alone) {
  TVMFFIObjectHandle function;
  if (TVMFFIFunctionCreate(NULL, __tvm_ffi_fail_plainly, NULL, &function) != 0) return -1;
  result->type_index = kTVMFFIFunction;
  result->v_obj = function;
  return 0;
}

static void release(TVMFFIAny* value) {
  if (value->type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(value->v_obj);
  memset(value, 0, sizeof *value);
}

static int give(void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  *result = *(TVMFFIAny*)self;
  if (result->type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectIncRef(result->v_obj);
  return 0;
}

static void forget(void* self) {
  release(self);
  free(self);
}

// Returns a function that returns the argument, which it keeps.
KERNEL(constant) {
  TVMFFIAny* value = calloc(1, sizeof *value);
  if (value == NULL || TVMFFIAnyViewToOwnedAny(&args[0], value) != 0) return -1;
  TVMFFIObjectHandle function;
  if (TVMFFIFunctionCreate(value, give, forget, &function) != 0) return -1;
  result->type_index = kTVMFFIFunction;
  result->v_obj = function;
  return 0;
}

// Calls a function (its first argument) so many times (the second) with the rest, through the
// bare C API. Returns what the last call returned.
KERNEL(repeat) {
  for (int64_t i = 0; i < args[1].v_int64; ++i) {
    release(result);
    int code = TVMFFIFunctionCall(args[0].v_ptr, (TVMFFIAny*)&args[2], num_args - 2, result);
    if (code != 0) return code;
  }
  return 0;
}

// Calls a function that fails (first argument) so many times (second), and drops its errors.
KERNEL(repeat_error) {
  for (int64_t i = 0; i < args[1].v_int64; ++i) {
    if (TVMFFIFunctionCall(args[0].v_ptr, NULL, 0, result) == 0) return -1;
    TVMFFIObjectHandle error;
    TVMFFIErrorMoveFromRaised(&error);
    TVMFFIObjectDecRef(error);
  }
  return 0;
}

// Raises the error of `fail` so many times (its argument) and drops it: what raising alone takes.
KERNEL(repeat_raise) {
  for (int64_t i = 0; i < args[0].v_int64; ++i) {
    TVMFFIErrorSetRaisedFromCStr("ValueError", "this kernel always fails");
    TVMFFIObjectHandle error;
    TVMFFIErrorMoveFromRaised(&error);
    TVMFFIObjectDecRef(error);
  }
  return 0;
}

// A kernel that calls another with three tensors so many times (the fourth argument) through its
// address.
#define REPEAT(name)                                       \
  KERNEL(repeat_##name) {                                  \
    TVMFFISafeCallType volatile kernel = __tvm_ffi_##name; \
    for (int64_t i = 0; i < args[3].v_int64; ++i) {        \
      if (kernel(NULL, args, 3, result) != 0) return -1;   \
    }                                                      \
    return 0;                                              \
  }

REPEAT(add4)
REPEAT(add4_checked)
