// SPDX-License-Identifier: Apache-2.0
//
// Libraries receive wrappers around these (services.cc), because the
// functions themselves throw C++ exceptions, which C code may not survive. They are found by the
// only function of tvm-ffi's C++ module class that has no C equivalent.
#include "classic/from_library/runtime_services.h"

#include <tvm/ffi/extra/module.h>

#include <mutex>
#include <string_view>

namespace tvmgo::classic {
namespace {

// Written under the lock until complete. Libraries that use a service are not loaded before it has
// been found, so reading needs no lock.
RuntimeServices services;
std::mutex mutex;

template <typename Function>
void SetIfNamed(std::string_view name, std::string_view wanted, void* address, Function* function) {
  if (name == wanted && *function == nullptr) *function = reinterpret_cast<Function>(address);
}

bool IsComplete() {
  return services.alloc_workspace != nullptr && services.free_workspace != nullptr &&
         services.parallel_launch != nullptr && services.parallel_barrier != nullptr;
}

}  // namespace

const RuntimeServices& FindRuntimeServices() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (IsComplete()) return services;
  const auto visit = [](const tvm::ffi::String& symbol, void* address) {
    const std::string_view name(symbol.data(), symbol.size());
    SetIfNamed(name, "__TVMBackendAllocWorkspace", address, &services.alloc_workspace);
    SetIfNamed(name, "__TVMBackendFreeWorkspace", address, &services.free_workspace);
    SetIfNamed(name, "__TVMBackendParallelLaunch", address, &services.parallel_launch);
    SetIfNamed(name, "__TVMBackendParallelBarrier", address, &services.parallel_barrier);
  };
  tvm::ffi::Module::VisitContextSymbols(
      tvm::ffi::TypedFunction<void(tvm::ffi::String, void*)>(visit));
  return services;
}

const RuntimeServices& KnownRuntimeServices() { return services; }

}  // namespace tvmgo::classic
