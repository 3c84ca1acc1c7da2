// SPDX-License-Identifier: Apache-2.0
//
// See binding.h.
#include "binding.h"

#include <cstring>

#include "../ffi.h"
#include "exports.h"
#include "runtime_services.h"
#include "services.h"

namespace tvmgo::classic {
namespace {

bool StartsWith(const char* name, const char* prefix) {
  return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
}

// One service: its C name and its address as the library is to see it.
struct Service {
  const char* name;
  void* address;
  bool has_variable;  // reached through a variable as well
  bool available;
};

template <typename Function>
void* AddressOf(Function* function) {
  return reinterpret_cast<void*>(function);
}

template <typename Visit>
void ForEachService(Visit visit) {
  const ServiceTable& table = Services();
  const RuntimeServices& runtime = FindRuntimeServices();
  const Service services[] = {
      {"TVMFuncCall", AddressOf(table.func_call), true, true},
      {"TVMAPISetLastError", AddressOf(table.set_last_error), true, true},
      {"TVMBackendGetFuncFromEnv", AddressOf(table.get_func_from_env), true, true},
      {"TVMBackendAllocWorkspace", AddressOf(table.alloc_workspace), true,
       runtime.alloc_workspace != nullptr},
      {"TVMBackendFreeWorkspace", AddressOf(table.free_workspace), true,
       runtime.free_workspace != nullptr},
      {"TVMBackendParallelLaunch", AddressOf(table.parallel_launch), true,
       runtime.parallel_launch != nullptr},
      {"TVMBackendParallelBarrier", AddressOf(table.parallel_barrier), true,
       runtime.parallel_barrier != nullptr},
      {"TVMBackendRegisterSystemLibSymbol", AddressOf(table.register_system_lib_symbol), false,
       true},
      {"TVMBackendRunOnce", AddressOf(table.run_once), false, true},
  };
  for (const Service& service : services) visit(service);
}

void ExplainImport(const char* name, const std::string& path) {
  if (std::strstr(name, "3tvm") != nullptr && StartsWith(name, "_Z")) {
    TVM_FFI_THROW(RuntimeError) << path << ": it contains C++ code compiled against the headers of "
                                << "an old TVM, whose classes no longer exist (it needs " << name
                                << ")";
  }
  if (StartsWith(name, "TVM")) {
    TVM_FFI_THROW(RuntimeError) << path << ": it needs " << name << " of the C API of TVM up to "
                                << "0.20, which no longer exists";
  }
}

}  // namespace

void ProvideFor(const ElfSymbols& elf, const std::string& path) {
  bool needs_exports = false;
  ForEachService([&](const Service& service) {
    const std::string variable = std::string("__") + service.name;
    const ElfSymbol* as_variable = service.has_variable ? elf.Find(variable.c_str()) : nullptr;
    const ElfSymbol* as_import = elf.Find(service.name);
    const bool imported = as_import != nullptr && !as_import->defined;
    const bool used = imported || (as_variable != nullptr && as_variable->defined);
    if (used && !service.available) {
      TVM_FFI_THROW(RuntimeError) << path << ": it needs " << service.name
                                  << " of libtvm_runtime, which is not loaded";
    }
    if (imported && !IsVisibleToLibraries(service.name)) needs_exports = true;
  });
  if (needs_exports) LoadExports();
}

void ExplainFailure(const ElfSymbols& elf, const std::string& path) {
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (symbol.defined || symbol.weak) continue;
    if (!IsVisibleToLibraries(symbol.name)) ExplainImport(symbol.name, path);
  }
}

void BindServices(const Library& library, void* context) {
  ForEachService([&library](const Service& service) {
    if (!service.has_variable) return;
    const std::string variable = std::string("__") + service.name;
    // Where the library lies its variables may too, at any address.
    if (void* place = library.FindVariable(variable.c_str(), sizeof(void*))) {
      std::memcpy(place, &service.address, sizeof(void*));
    }
  });
  // Last: with it the library is ready to be called.
  if (void* place = library.FindVariable("__tvm_module_ctx", sizeof(void*))) {
    std::memcpy(place, &context, sizeof(void*));
  }
}

bool CallsRuntimeDirectly(const ElfSymbols& elf) {
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (!symbol.defined && StartsWith(symbol.name, "TVMBackend")) return true;
  }
  return false;
}

}  // namespace tvmgo::classic
