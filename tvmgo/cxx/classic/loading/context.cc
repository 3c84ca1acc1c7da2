// SPDX-License-Identifier: Apache-2.0
//
// Locks: nothing foreign runs under a Context's own lock. Under the table's lock a library may be
// closed, which runs its shut-down code, because no other thread may open it in between.
#include "classic/loading/context.h"

#include <memory>

#include "classic/loading/binding.h"
#include "ffi/globals.h"
#include "ffi/module_object.h"

namespace tvmgo::classic {

class ContextTable {
 public:
  Context* Acquire(const std::string& path) {
    Library library(path);               // runs start-up code, so before the lock is taken
    std::unique_ptr<Context> forgotten;  // its objects are let go after the lock
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    std::unique_ptr<Context>& entry = contexts_[library.identity()];
    if (entry != nullptr && entry->uses_ == 0 && entry->library_.name() != library.name()) {
      forgotten = std::move(entry);  // of a library that others closed in the meantime
    }
    if (entry == nullptr) entry.reset(new Context(Library()));
    if (entry->uses_ == 0) {
      BindServices(library, entry.get());  // first, so that a failure leaves no use behind
      entry->library_ = std::move(library);
    }
    ++entry->uses_;
    return entry.get();
    // Here a library that was open already is closed once more, which does no more than count.
  }

  void Share(Context* context) {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    ++context->uses_;
  }

  void Release(Context* context) {
    std::unique_ptr<Context> last;  // its objects are let go after the lock
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    if (--context->uses_ != 0) return;
    const void* identity = context->library_.identity();
    if (context->library_.Close()) return;
    const auto entry = contexts_.find(identity);
    last = std::move(entry->second);
    contexts_.erase(entry);
  }

 private:
  std::recursive_mutex mutex_;  // start-up and shut-down code may open and close libraries
  std::unordered_map<const void*, std::unique_ptr<Context>> contexts_;
};

namespace {

// Never destroyed: modules may outlive the end of main.
ContextTable& TheTable() {
  static auto* table = new ContextTable();
  return *table;
}

}  // namespace

Context* Context::OfSystemLibrary(const void* place) {
  static auto* mutex = new std::mutex();
  static auto* contexts = new std::unordered_map<const void*, std::unique_ptr<Context>>();
  const std::lock_guard<std::mutex> lock(*mutex);
  std::unique_ptr<Context>& context = (*contexts)[place];
  if (context == nullptr) context.reset(new Context(Library()));
  return context.get();
}

TVMFFIObjectHandle Context::LookUp(const std::string& name, TVMFFIObjectHandle module) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = functions_.find(name);
    if (found != functions_.end()) return found->second.get();
  }
  Ref function = FindByName(name, module);
  if (!function) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex_);
  // Where another thread was faster, `function` keeps its own, to be let go after the lock.
  return functions_.try_emplace(name, std::move(function)).first->second.get();
}

Ref Context::FindByName(const std::string& name, TVMFFIObjectHandle module) {
  std::vector<Ref> imports;
  if (module != nullptr) {
    imports = ImportsOf(module);
  } else {
    const std::lock_guard<std::mutex> lock(mutex_);
    imports = imports_;
  }
  for (const Ref& import : imports) {
    if (Ref function = FunctionOf(import, name, /*query_imports=*/true)) return function;
  }
  return FindGlobalOrExtra(name);
}

void Context::SetImports(std::vector<Ref> imports) {
  const std::lock_guard<std::mutex> lock(mutex_);
  imports.swap(imports_);
}

void Context::TransferToLibrary(Ref object) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const TVMFFIObjectHandle handle = object.get();
  const auto [entry, is_new] = owned_.try_emplace(handle, Owned{Ref(), 0});
  if (is_new) entry->second.object = std::move(object);
  ++entry->second.count;
}

Ref Context::TransferFromLibrary(TVMFFIObjectHandle object) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = owned_.find(object);
  if (found == owned_.end()) return Ref::Share(object);
  if (--found->second.count != 0) return Ref::Share(object);
  Ref given = std::move(found->second.object);
  owned_.erase(found);
  return given;
}

ContextRef::ContextRef(const std::string& path) : context_(TheTable().Acquire(path)) {}

ContextRef::ContextRef(const ContextRef& other) : context_(other.context_) {
  if (context_ != nullptr) TheTable().Share(context_);
}

ContextRef::~ContextRef() {
  if (context_ != nullptr) TheTable().Release(context_);
}

}  // namespace tvmgo::classic
