// SPDX-License-Identifier: Apache-2.0
// Stands for libtvm_runtime_cuda: when it is opened it registers a loader for modules of CUDA code,
// which is the global function tests.load_cuda.
#include <tvm/ffi/c_api.h>

static TVMFFIByteArray name(const char* text, size_t size) { return (TVMFFIByteArray){text, size}; }
#define NAME(text) name(text, sizeof(text) - 1)

__attribute__((constructor)) static void start_up(void) {
  TVMFFIByteArray from = NAME("tests.load_cuda"), to = NAME("ffi.Module.load_from_bytes.cuda");
  TVMFFIObjectHandle loader = NULL;
  if (TVMFFIFunctionGetGlobal(&from, &loader) || loader == NULL) return;
  TVMFFIFunctionSetGlobal(&to, loader, 0);
  TVMFFIObjectDecRef(loader);
}
