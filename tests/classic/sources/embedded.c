// SPDX-License-Identifier: Apache-2.0
// A library with modules embedded in it: BLOB names a file of C numbers.
#include "classic.h"

VARIABLE void* __tvm_module_ctx = NULL;
VARIABLE int (*__TVMFuncCall)(void*, Cell*, int32_t*, int, Cell*, int32_t*) = NULL;
VARIABLE void (*__TVMAPISetLastError)(const char*) = NULL;
VARIABLE int (*__TVMBackendGetFuncFromEnv)(void*, const char*, void**) = NULL;

EXPORT const unsigned char __tvm_dev_mblob[] = {
#include BLOB
};

static float* data_of(const Cell* cell) { return ((const Tensor*)cell->pointer)->data; }

FUNCTION_OF(kadd) {
  const float *x = data_of(&args[0]), *y = data_of(&args[1]);
  for (int i = 0; i < 2; ++i) data_of(&args[2])[i] = x[i] + y[i];
  return 0;
}
FUNCTION_OF(ksquare) {
  const float* x = data_of(&args[0]);
  for (int i = 0; i < 2; ++i) data_of(&args[1])[i] = x[i] * x[i];
  return 0;
}

// Calls a function of an imported module by its name.
FUNCTION_OF(call_import) {
  static void* function = NULL;
  if (function == NULL && __TVMBackendGetFuncFromEnv(__tvm_module_ctx, args[0].text, &function)) {
    return -1;
  }
  return __TVMFuncCall(function, args + 1, codes + 1, num_args - 1, ret, ret_code);
}

// The address of that function, and the way to call one without the runtime in between.
FUNCTION_OF(address) {
  ret->pointer = (void*)call_import;
  *ret_code = OPAQUE;
  return 0;
}
FUNCTION_OF(call_at) {
  int32_t (*code)(PARAMETERS) = (int32_t (*)(PARAMETERS))args[0].pointer;
  return code(args + 1, codes + 1, num_args - 1, ret, ret_code, NULL);
}

// What a const_loader calls before the first use of `with_constants`.
static int64_t initialised;
static int32_t code_seen;
FUNCTION_OF(__init_with_constants) {
  ++initialised;
  code_seen = codes[0];
  ret->number = 0;
  *ret_code = INT;
  return 0;
}
FUNCTION_OF(with_constants) {
  ret->number = initialised * 100 + code_seen;
  *ret_code = INT;
  return 0;
}
FUNCTION_OF(__init_never) {
  __TVMAPISetLastError("__init_never said no");
  return -1;
}
FUNCTION_OF(never) { return 0; }
// One that answers with something else than a code, one with a code of failure, and one that calls
// a global function, which may look the symbol up again.
FUNCTION_OF(__init_wrongly) {
  ret->real = 0.5;
  *ret_code = FLOAT;
  return 0;
}
FUNCTION_OF(wrongly) { return 0; }
FUNCTION_OF(__init_coded) {
  ret->number = 3;
  *ret_code = INT;
  return 0;
}
FUNCTION_OF(coded) { return 0; }
FUNCTION_OF(__init_in_circles) {
  void* again = NULL;
  if (__TVMBackendGetFuncFromEnv(__tvm_module_ctx, "tests.in_circles", &again)) return -1;
  Cell cell = {0};
  int32_t code = NONE;
  return __TVMFuncCall(again, args, codes, 0, &cell, &code);
}
FUNCTION_OF(in_circles) { return 0; }

#ifdef SYSTEM_LIB  // all is registered while the library is being opened, as well
extern int TVMBackendRegisterSystemLibSymbol(const char*, void*);
__attribute__((constructor)) static void start_up(void) {
  TVMBackendRegisterSystemLibSymbol("mine_kadd", kadd);
  TVMBackendRegisterSystemLibSymbol("mine_ksquare", ksquare);
  TVMBackendRegisterSystemLibSymbol("mine___tvm_dev_mblob", (void*)__tvm_dev_mblob);
}
#endif
