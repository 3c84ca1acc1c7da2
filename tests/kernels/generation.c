// SPDX-License-Identifier: Apache-2.0
// A library whose only function returns the number it was compiled with.
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#ifdef NAP_US  // what loading the library takes, in microseconds
__attribute__((constructor)) static void nap(void) { usleep(NAP_US); }
#endif

#ifdef LOOKS_UP  // as compiled code does that calls other functions by name
__attribute__((visibility("default"))) void* __TVMFFIEnvModLookupFromImports;
#endif

#ifndef GENERATION
#define GENERATION 0
#endif

__attribute__((visibility("default"))) int __tvm_ffi_generation(void* self, const TVMFFIAny* args,
                                                                int32_t num_args,
                                                                TVMFFIAny* result) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = GENERATION;
  return 0;
}
