// SPDX-License-Identifier: Apache-2.0
// Symbols of a shared library that somebody else has loaded.
#ifndef TVMGO_CAPI_LIBRARY_H_
#define TVMGO_CAPI_LIBRARY_H_
#include <stddef.h>

#ifdef _WIN32
static inline void* TVMGoLoadedLibrary(const char* path) { return NULL; }
static inline void* TVMGoSymbol(void* library, const char* name) { return NULL; }
static inline void TVMGoLeaveLibrary(void* library) {}
#else
#include <dlfcn.h>

// A handle of the library at `path` if this process has loaded it, or NULL. Loads nothing.
static inline void* TVMGoLoadedLibrary(const char* path) {
  return dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
}

static inline void* TVMGoSymbol(void* library, const char* name) { return dlsym(library, name); }

// Give a handle back.
static inline void TVMGoLeaveLibrary(void* library) { dlclose(library); }
#endif

#endif  // TVMGO_CAPI_LIBRARY_H_
