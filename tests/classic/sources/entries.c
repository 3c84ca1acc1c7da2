// SPDX-License-Identifier: Apache-2.0
// The entry function in both forms, and the signatures of TVM 0.2 to 0.6: three parameters and no
// result, or no parameters at all.
#include "classic.h"

FUNCTION_OF(the_entry) {
  ret->number = num_args + 100;
  *ret_code = INT;
  return 0;
}

#ifdef ENTRY_IS_FUNCTION
FUNCTION_OF(__tvm_main__) { return the_entry(args, codes, num_args, ret, ret_code, resource); }
#elif defined(ENTRY_IS_UNENDING)
VARIABLE const char __tvm_main__[] = {'t', 'h', 'e'};
#elif defined(ENTRY_IS_ELSEWHERE)
VARIABLE const char __tvm_main__[] = "strlen";
#elif defined(ENTRY_IS_CALLED_MAIN)
// Named so for the linker alone: compilers know what parameters a `main` has.
FUNCTION_OF(called_main) __asm__("main");
FUNCTION_OF(called_main) { return the_entry(args, codes, num_args, ret, ret_code, resource); }
#else
VARIABLE const char __tvm_main__[] = "the_entry";
#endif

VARIABLE void (*__TVMAPISetLastError)(const char*) = NULL;

static int64_t seen;
EXPORT int32_t old_set(void* cells, int32_t* codes, int32_t num_args) {
  if (num_args != 1 || codes[0] != INT) {
    __TVMAPISetLastError("old_set: expected an integer");
    return -1;
  }
  seen = ((Cell*)cells)[0].number;
  return 0;
}
EXPORT int32_t old_without_parameters(void) {
  ++seen;
  return 0;
}
EXPORT int32_t old_add(void* cells, int32_t* codes, int32_t num_args) {
  float* data[3];
  for (int i = 0; i < 3; ++i) {
    const Tensor* tensor = ((Cell*)cells)[i].pointer;
    // Exactly compact strides or none at all, as code up to 0.12 insists.
    if (tensor->strides != NULL || tensor->byte_offset != 0) return -1;
    data[i] = tensor->data;
  }
  for (int i = 0; i < 4; ++i) data[2][i] = data[0][i] + data[1][i];
  return 0;
}
FUNCTION_OF(get_seen) {
  ret->number = seen;
  *ret_code = INT;
  return 0;
}
