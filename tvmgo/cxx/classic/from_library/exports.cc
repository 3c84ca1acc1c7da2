// SPDX-License-Identifier: Apache-2.0
//
// It lies beside the file that contains this code and is named like it:
// `executor.SUFFIX` and `_classic_exports.SUFFIX`.
#include "classic/from_library/exports.h"

#ifdef __linux__
#include <dlfcn.h>
#endif

#include <mutex>
#include <string>

#include "classic/from_library/services.h"
#include "ffi/ffi.h"

namespace tvmgo::classic {

#ifdef __linux__

namespace {

std::string ExportsPath() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&LoadExports), &info) == 0 || info.dli_fname == nullptr) {
    return "";
  }
  const std::string own = info.dli_fname;
  const size_t slash = own.rfind('/');
  const size_t name = slash == std::string::npos ? 0 : slash + 1;
  const size_t dot = own.find('.', name);
  return own.substr(0, name) + "_classic_exports" +
         (dot == std::string::npos ? std::string() : own.substr(dot));
}

[[noreturn]] void Fail(const std::string& path) {
  const char* problem = dlerror();
  TVM_FFI_THROW(RuntimeError) << "the C names for classic libraries cannot be loaded from " << path
                              << ": " << (problem != nullptr ? problem : "not found");
  TVM_FFI_UNREACHABLE();
}

}  // namespace

void LoadExports() {
  static std::mutex mutex;
  static bool loaded = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (loaded) return;
  const std::string path = ExportsPath();
  // For good: libraries keep the addresses.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (handle == nullptr) Fail(path);
  using Bind = void (*)(const ServiceTable*);
  const auto bind = reinterpret_cast<Bind>(dlsym(handle, "TVMGoBindClassicServices"));
  if (bind == nullptr) Fail(path);
  bind(&Services());
  loaded = true;
}

#else  // as in library.cc

void LoadExports() {}

#endif

}  // namespace tvmgo::classic
