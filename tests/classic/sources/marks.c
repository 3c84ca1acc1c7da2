// SPDX-License-Identifier: Apache-2.0
// Libraries that differ in the symbols which tell the generations apart.
#include "classic.h"

#ifndef NO_FUNCTION
FUNCTION_OF(a_function) { return 0; }
#endif

#ifdef DEFINES_MODERN
EXPORT int __tvm_ffi_answer(void* self, const void* args, int32_t num_args, int64_t* result) {
  ((int32_t*)result)[0] = 1;  // an integer
  result[1] = 42;
  return 0;
}
#endif
#ifdef DEFINES_MODERN_CONTEXT
EXPORT void* __tvm_ffi__library_ctx = NULL;
#endif
#ifdef DEFINES_TRANSITIONAL_CONTEXT
EXPORT void* __tvm_ffi_library_ctx = NULL;
#endif
#ifdef DEFINES_TRANSITIONAL_POINTER
EXPORT void* __TVMFFIFunctionCall = NULL;
#endif
#ifdef NEEDS_FFI
extern int TVMFFIFunctionCall(void*, void*, int32_t, void*);
EXPORT int call_it(void* f) { return TVMFFIFunctionCall(f, NULL, 0, NULL); }
#endif
#ifdef NEEDS_REGISTRATION
extern int TVMFFIFunctionSetGlobal(const void*, void*, int);
EXPORT int register_it(void* f) { return TVMFFIFunctionSetGlobal(NULL, f, 0); }
#endif
#ifdef DEFINES_FUNC_CALL
VARIABLE void* __TVMFuncCall = NULL;
#endif
#ifdef DEFINES_LAST_ERROR
VARIABLE void* __TVMAPISetLastError = NULL;
#endif
#ifdef LABELLED_VARIABLE
// Where it lies are names without a type, as some linkers put where zeroed variables begin. So many
// that the system finds one of them before the variable.
__asm__(
    ".bss\n .balign 8\n .globl l1, l2, l3, l4, l5, l6, l7, l8\n"
    "l1: l2: l3: l4: l5: l6: l7: l8:\n"
    ".weak __TVMAPISetLastError\n .type __TVMAPISetLastError, %object\n"
    ".size __TVMAPISetLastError, 8\n __TVMAPISetLastError: .zero 8\n .text");
extern void (*__TVMAPISetLastError)(const char*);
FUNCTION_OF(complain) {
  __TVMAPISetLastError("filled");
  return -1;
}
#endif
#ifdef DEFINES_MODULE_CONTEXT
VARIABLE void* __tvm_module_ctx = NULL;
#endif
#ifdef DEFINES_MAIN
VARIABLE const char __tvm_main__[] = "a_function";
#endif
#ifdef NEEDS_FUNC_CALL
extern int TVMFuncCall(void*, void*, int32_t*, int, void*, int32_t*);
EXPORT int call_old(void* f) { return TVMFuncCall(f, NULL, NULL, 0, NULL, NULL); }
#endif
#ifdef DEFINES_BACKEND
VARIABLE void* __TVMBackendParallelLaunch = NULL;
VARIABLE void* __TVMBackendGetFuncFromEnv = NULL;
#endif
#ifdef NEEDS_OLD_C_API
extern int TVMArrayAlloc(const int64_t*, int, int, int, int, int, int, void**);
EXPORT int alloc(void) { return TVMArrayAlloc(NULL, 0, 2, 32, 1, 1, 0, NULL); }
#endif
#ifdef NEEDS_OLD_CXX
extern void _ZN3tvm7runtime8Registry3GetERKSs(void);
EXPORT void get(void) { _ZN3tvm7runtime8Registry3GetERKSs(); }
#endif
#ifdef NEEDS_SOMETHING_ELSE
extern void a_function_of_nowhere(void);
VARIABLE void* __tvm_module_ctx = NULL;
EXPORT void need(void) { a_function_of_nowhere(); }
#endif
#ifdef CONSTANT_VARIABLES  // which cannot be filled in
EXPORT void* const __TVMFuncCall = NULL;
EXPORT const int32_t __tvm_module_ctx = 5;
FUNCTION_OF(__TVMAPISetLastError) { return 0; }
#endif
