// SPDX-License-Identifier: Apache-2.0
//
// The library on which gotvm was recorded, for the classic calling convention: one function per
// thing that can be seen of a call from C. What each gives back, and the text of each error, is
// part of the records.
#include <string.h>

#include "abi.h"
#include "arithmetic.h"

// Filled by whoever loads the library.
CLASSIC_EXPORT void (*__TVMAPISetLastError)(const char* message) = 0;
CLASSIC_EXPORT int (*__TVMFuncCall)(void* function, TVMValue* args, int* codes, int num_args,
                                    TVMValue* ret, int* ret_code) = 0;

static int32_t fail(const char* message) {
  if (__TVMAPISetLastError != 0) __TVMAPISetLastError(message);
  return -1;
}

#define GIVE(kind, field, x) \
  do {                       \
    ret->field = (x);        \
    *ret_code = (kind);      \
    return 0;                \
  } while (0)

CLASSIC_FUNCTION(noop) { return 0; }

CLASSIC_FUNCTION(myadd) {
  if (num_args != 3) return fail("myadd: expected 3 arguments");
  for (int32_t i = 0; i < 3; ++i) {
    if (!is_tensor(codes[i])) return fail("myadd: expected tensor argument");
  }
  add(floats_of(&args[0]), floats_of(&args[1]), floats_of(&args[2]),
      elements_of(tensor_at(&args[0])));
  return 0;
}

// ---------------------------------------------------------------- what arrives

CLASSIC_FUNCTION(nargs) { GIVE(kInt, v_int64, num_args); }

// One hexadecimal digit per argument, the first one lowest.
CLASSIC_FUNCTION(typecodes) {
  int64_t digits = 0;
  for (int32_t i = num_args; i > 0; --i) digits = digits << 4 | (codes[i - 1] & 15);
  GIVE(kInt, v_int64, digits);
}

CLASSIC_FUNCTION(rawbits) { GIVE(kInt, v_int64, args[0].v_int64); }

CLASSIC_FUNCTION(sum_ints) {
  int64_t sum = 0;
  for (int32_t i = 0; i < num_args; ++i) {
    if (codes[i] != kInt) return fail("sum_ints: not an int");
    sum += args[i].v_int64;
  }
  GIVE(kInt, v_int64, sum);
}

CLASSIC_FUNCTION(str_len) {
  if (codes[0] != kStr) return fail("str_len: not a string");
  GIVE(kInt, v_int64, (int64_t)strlen(args[0].v_str));
}

CLASSIC_FUNCTION(bytes_len) {
  if (codes[0] != kBytes) return fail("bytes_len: not bytes");
  GIVE(kInt, v_int64, (int64_t)((const TVMByteArray*)args[0].v_handle)->size);
}

CLASSIC_FUNCTION(bytes_sum) {
  if (codes[0] != kBytes) return fail("bytes_sum: not bytes");
  const TVMByteArray* bytes = (const TVMByteArray*)args[0].v_handle;
  int64_t sum = 0;
  for (size_t i = 0; i < bytes->size; ++i) sum += (unsigned char)bytes->data[i];
  GIVE(kInt, v_int64, sum);
}

// The number of dimensions in millions, the type code in hundred thousands, the bits in tens, the
// lanes in ones.
CLASSIC_FUNCTION(tensor_info) {
  if (codes[0] != kDLTensor && codes[0] != kNDArray) return fail("tensor_info: not a tensor");
  const DLTensor* tensor = tensor_at(&args[0]);
  GIVE(kInt, v_int64,
       tensor->ndim * 1000000LL + tensor->dtype.code * 100000LL + tensor->dtype.bits * 10LL +
           tensor->dtype.lanes);
}

// ---------------------------------------------------------------- what is given back

CLASSIC_FUNCTION(identity) {
  if (num_args < 1) return fail("identity: no argument");
  *ret = args[0];
  *ret_code = codes[0];
  return 0;
}

CLASSIC_FUNCTION(ret_int) { GIVE(kInt, v_int64, -42); }
CLASSIC_FUNCTION(ret_uint) { GIVE(kUInt, v_int64, -1); }
CLASSIC_FUNCTION(ret_float) { GIVE(kFloat, v_float64, 2.5); }
CLASSIC_FUNCTION(ret_null) { GIVE(kNull, v_handle, 0); }
CLASSIC_FUNCTION(ret_handle) { GIVE(kHandle, v_handle, (void*)(uintptr_t)0x1234); }
CLASSIC_FUNCTION(ret_str) { GIVE(kStr, v_str, "from-c"); }

CLASSIC_FUNCTION(ret_bytes) {
  static TVMByteArray bytes = {"a\0b", 3};
  GIVE(kBytes, v_handle, &bytes);
}

CLASSIC_FUNCTION(ret_dtype) {
  const DLDataType float32x4 = {2, 32, 4};
  GIVE(kDataType, v_type, float32x4);
}

CLASSIC_FUNCTION(ret_device) {
  const DLDevice cuda3 = {2, 3};
  GIVE(kDevice, v_device, cuda3);
}

// ---------------------------------------------------------------- failures and calls back

CLASSIC_FUNCTION(err_msg) { return fail("deliberate failure from C"); }
CLASSIC_FUNCTION(err_typed) { return fail("ValueError: deliberate typed failure"); }
CLASSIC_FUNCTION(err_multi) { return fail("first line\nsecond line\n  indented third"); }
CLASSIC_FUNCTION(err_utf8) {
  return fail(
      "d\xc3\xa9"
      "faut \xe2\x9c\x93");
}
CLASSIC_FUNCTION(err_silent) { return -1; }

// Calls the first argument with the others. A string or bytes result is given back as its kind.
CLASSIC_FUNCTION(call_func) {
  if (num_args < 1 || codes[0] != kFunction) {
    return fail("call_func: argument 0 is not a function");
  }
  TVMValue value = {0};
  int code = kNull;
  const int failure = __TVMFuncCall(args[0].v_handle, (TVMValue*)args + 1, (int*)codes + 1,
                                    num_args - 1, &value, &code);
  if (failure != 0) return failure;  // the message is set already
  if (code == kStr || code == kBytes) GIVE(kInt, v_int64, code);
  *ret = value;
  *ret_code = code;
  return 0;
}
