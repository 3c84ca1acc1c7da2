// SPDX-License-Identifier: Apache-2.0
#include "classic/loading/system_symbols.h"

#ifdef __linux__
#include <dlfcn.h>
#endif

#include <mutex>
#include <unordered_map>
#include <utility>

namespace tvmgo::classic {
namespace {

using Addresses = std::unordered_map<std::string, void*>;

struct SystemTable {
  std::mutex mutex;
  Addresses addresses;
  std::unordered_map<const void*, Addresses> of_libraries;  // opened by us, by identity
};

// Never destroyed: libraries may register from other threads while the process ends.
SystemTable& TheSystemTable() {
  static auto* table = new SystemTable();
  return *table;
}

// The innermost of this thread, or null.
thread_local SystemSymbols::Opening* opening = nullptr;

// The identity of the library that has the address.
const void* IdentityAt(void* address) {
  void* identity = nullptr;
#ifdef __linux__
  Dl_info info;
  if (dladdr1(address, &info, &identity, RTLD_DL_LINKMAP) == 0) return nullptr;
#endif
  return identity;
}

}  // namespace

SystemSymbols::Opening::Opening() : outer_(std::exchange(opening, this)) {}

SystemSymbols::Opening::~Opening() { opening = outer_; }

void SystemSymbols::Register(const char* name, void* address) {
  const void* identity = opening == nullptr ? nullptr : IdentityAt(address);
  SystemTable& table = TheSystemTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  if (identity == nullptr) {
    table.addresses[name] = address;
    return;
  }
  Addresses& addresses = table.of_libraries[identity];
  if (opening->registered_.insert(identity).second) addresses.clear();  // of a library that is gone
  addresses[name] = address;
}

void* SystemSymbols::FindIn(const void* identity, const std::string& name) {
  SystemTable& table = TheSystemTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  const auto library = table.of_libraries.find(identity);
  if (library == table.of_libraries.end()) return nullptr;
  const auto found = library->second.find(name);
  return found == library->second.end() ? nullptr : found->second;
}

bool SystemSymbols::HasAny() {
  SystemTable& table = TheSystemTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  return !table.addresses.empty();
}

void* SystemSymbols::Find(const std::string& prefix, const std::string& name) {
  SystemTable& table = TheSystemTable();
  const std::lock_guard<std::mutex> lock(table.mutex);
  auto found = table.addresses.find(prefix + name);
  if (found == table.addresses.end()) found = table.addresses.find(name);
  return found == table.addresses.end() ? nullptr : found->second;
}

}  // namespace tvmgo::classic
