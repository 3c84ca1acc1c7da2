// SPDX-License-Identifier: Apache-2.0
#include "classic/loading/binding.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "classic/from_library/exports.h"
#include "classic/from_library/runtime_services.h"
#include "classic/from_library/services.h"
#include "ffi/ffi.h"

namespace tvmgo::classic {
namespace {

bool StartsWith(const char* name, const char* prefix) {
  return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
}

// One service: its C name and its address as the library is to see it.
struct Service {
  enum Origin { kOurs, kOfRuntime };

  const char* name;
  void* address;
  bool has_variable;  // reached through a variable as well
  Origin origin;
  void* in_runtime;  // what libtvm_runtime has under that name, if it is loaded
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
      {"TVMFuncCall", AddressOf(table.func_call), true, Service::kOurs, nullptr},
      {"TVMAPISetLastError", AddressOf(table.set_last_error), true, Service::kOurs, nullptr},
      {"TVMBackendGetFuncFromEnv", AddressOf(table.get_func_from_env), true, Service::kOurs,
       nullptr},
      {"TVMBackendAllocWorkspace", AddressOf(table.alloc_workspace), true, Service::kOfRuntime,
       AddressOf(runtime.alloc_workspace)},
      {"TVMBackendFreeWorkspace", AddressOf(table.free_workspace), true, Service::kOfRuntime,
       AddressOf(runtime.free_workspace)},
      {"TVMBackendParallelLaunch", AddressOf(table.parallel_launch), true, Service::kOfRuntime,
       AddressOf(runtime.parallel_launch)},
      {"TVMBackendParallelBarrier", AddressOf(table.parallel_barrier), true, Service::kOfRuntime,
       AddressOf(runtime.parallel_barrier)},
      {"TVMBackendRegisterSystemLibSymbol", AddressOf(table.register_system_lib_symbol), false,
       Service::kOurs, nullptr},
      {"TVMBackendRunOnce", AddressOf(table.run_once), false, Service::kOurs, nullptr},
  };
  for (const Service& service : services) visit(service);
}

void ThrowIfObsoleteImport(const char* name, const std::string& path) {
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

// The library's own variable, at any address, or null. Where another library was opened for all
// (RTLD_GLOBAL), the system has given this one's code that one's variable of the same name.
void* OwnVariable(const Library& library, const char* name,
                  std::vector<Redirection>* redirections) {
  void* own = library.FindVariable(name, sizeof(void*));
  void* others = own == nullptr ? nullptr : GloballyVisible(name);
  if (others != nullptr && others != own) redirections->push_back(Redirection{others, own});
  return own;
}

// Whether the runtime writes to the variable when it opens a library of today.
bool IsSetByRuntime(const ElfSymbol& symbol) {
  return symbol.defined && symbol.object &&
         (StartsWith(symbol.name, "__TVM") || StartsWith(symbol.name, "__tvm_ffi__library_ctx"));
}

}  // namespace

void PrepareServices(const ElfSymbols& elf, const std::string& path) {
  bool needs_exports = false;
  ForEachService([&](const Service& service) {
    const std::string variable = std::string("__") + service.name;
    const ElfSymbol* as_variable = service.has_variable ? elf.Find(variable.c_str()) : nullptr;
    const ElfSymbol* as_import = elf.Find(service.name);
    const bool imported = as_import != nullptr && !as_import->defined;
    const bool used = imported || (as_variable != nullptr && as_variable->defined);
    const bool is_ours = service.origin == Service::kOurs;
    if (used && !is_ours && service.in_runtime == nullptr) {
      TVM_FFI_THROW(RuntimeError) << path << ": it needs " << service.name
                                  << " of libtvm_runtime, which is not loaded";
    }
    if (!imported || IsGloballyVisible(service.name)) return;
    if (is_ours) {
      needs_exports = true;
    } else {
      MakeGloballyVisible(service.in_runtime);
    }
  });
  if (needs_exports) LoadExports();
}

void ExportServices() {
  bool taken = false;
  ForEachService([&](const Service& service) {
    taken = taken || (service.origin == Service::kOurs && IsGloballyVisible(service.name));
  });
  if (!taken) LoadExports();
}

void ThrowIfObsolete(const ElfSymbols& elf, const std::string& path) {
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (symbol.defined || symbol.weak) continue;
    if (!IsGloballyVisible(symbol.name)) ThrowIfObsoleteImport(symbol.name, path);
  }
}

void BindServices(const Library& library, void* context) {
  std::vector<Redirection> redirections;
  ForEachService([&](const Service& service) {
    if (service.in_runtime != nullptr) {
      redirections.push_back(Redirection{service.in_runtime, service.address});
    }
    if (!service.has_variable) return;
    const std::string variable = std::string("__") + service.name;
    if (void* place = OwnVariable(library, variable.c_str(), &redirections)) {
      std::memcpy(place, &service.address, sizeof(void*));
    }
  });
  void* place = OwnVariable(library, "__tvm_module_ctx", &redirections);
  library.Redirect(redirections);
  // Last: with it the library is ready to be called.
  if (place != nullptr) {
    std::memcpy(place, &context, sizeof(void*));
  }
}

void ReclaimVariables(const ElfSymbols& elf, const std::string& name) {
  const auto is_visible = [](const ElfSymbol& symbol) {
    return IsSetByRuntime(symbol) && IsGloballyVisible(symbol.name);
  };
  if (std::none_of(elf.symbols().begin(), elf.symbols().end(), is_visible)) return;
  if (name.find('/') == std::string::npos) return;  // opened where the system looked for it
  const Library library(name);
  std::vector<Redirection> redirections;
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (IsSetByRuntime(symbol)) OwnVariable(library, symbol.name, &redirections);
  }
  library.Redirect(redirections);
}

}  // namespace tvmgo::classic
