// SPDX-License-Identifier: Apache-2.0
//
// The entry of the loader for classic libraries.
#ifndef TVMGO_CXX_CLASSIC_REGISTER_CLASSIC_H_
#define TVMGO_CXX_CLASSIC_REGISTER_CLASSIC_H_

#ifdef __cplusplus
extern "C" {
#endif

// Registers among the runtime's global functions, once for a process:
//
//   ffi.Module.load_from_file.so(path, format) -> Module    both generations; the format "classic"
//                                                           or "modern" overrides the decision
//   ffi.Module.load_from_file.classic, .modern              the same as formats of their own
//   tvmgo.load_classic_library(path) -> Module
//   tvmgo.load_library_copy(path, format, source, name)     the file `path` from a copy: see
//                                                           LibraryFile
//   tvmgo.library_needs_origin(path) -> int                 whether it may look for files beside it
//   tvmgo.library_generation(path) -> "modern", "transitional", "classic" or "undecided"
//   tvmgo.classic_system_library(prefix="") -> Module
//   tvmgo.system_library(prefix="") -> Module               with the functions of both generations
//
// 0, or -1 with the error raised.
__attribute__((visibility("default"))) int TVMGoRegisterClassicLoader(void);

// Lets libraries that others open find the C names of TVM up to 0.20 which libtvm_runtime no longer
// has, unless the process has others of these names.
__attribute__((visibility("default"))) int TVMGoExportClassicNames(void);

#ifdef __cplusplus
}
#endif

#endif  // TVMGO_CXX_CLASSIC_REGISTER_CLASSIC_H_
