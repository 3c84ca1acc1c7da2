// SPDX-License-Identifier: Apache-2.0
//
// What the runtime keeps for one opened library, and what `__tvm_module_ctx` points to. A file
// opened twice is one library in memory with one set of variables, so it has one Context, shared by
// all modules made of it:
//
//   module A --+                +-- functions the library looked up; its variables point to them
//              +--> Context ----+
//   module B --+                +-- Library: the mapping
//
// The looked-up functions must live as long as the library's variables. They are let go after the
// mapping is gone; if somebody else keeps it in memory, the Context waits for the next load.
#ifndef TVMGO_CXX_CLASSIC_LOADING_CONTEXT_H_
#define TVMGO_CXX_CLASSIC_LOADING_CONTEXT_H_

#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "classic/loading/library.h"
#include "ffi/ffi.h"

namespace tvmgo::classic {

class Context {
 public:
  Context(const Context&) = delete;

  // The one for a library that others opened, known by where its `__tvm_module_ctx` is; null is
  // the place of all that have none. It stays for ever.
  static Context* OfSystemLibrary(const void* place);

  const Library& library() const { return library_; }

  // The function a library asks for by name: from the imports of `module`, which is borrowed and
  // may be null, or from the global functions; or null. The answer is borrowed and stays valid, and
  // the same, until the library is closed. Any thread may ask.
  TVMFFIObjectHandle LookUp(const std::string& name, TVMFFIObjectHandle module);

  // Where names are looked up when no module is known to be asking, as in the library's own
  // threads.
  void SetImports(std::vector<Ref> imports);

  // Objects the library has received as results of its calls. By the convention it owns them, but
  // nothing can give one back except returning it; the rest is let go when the library is closed.
  void TransferToLibrary(Ref object);
  // An object which the library returns: what it owns it gives away, what it was lent is shared.
  Ref TransferFromLibrary(TVMFFIObjectHandle object);

 private:
  friend class ContextTable;

  explicit Context(Library library) : library_(std::move(library)) {}

  Ref FindByName(const std::string& name, TVMFFIObjectHandle module);

  Library library_;
  int uses_ = 0;  // guarded by the table's lock

  std::mutex mutex_;
  std::unordered_map<std::string, Ref> functions_;
  std::vector<Ref> imports_;
  struct Owned {
    Ref object;
    size_t count;
  };
  std::unordered_map<TVMFFIObjectHandle, Owned> owned_;
};

// A share in the Context of an opened library.
class ContextRef {
 public:
  // Opens the file and makes its library ready to be called. Throws RuntimeError when the system's
  // loader refuses.
  explicit ContextRef(const std::string& path);
  ContextRef(ContextRef&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  ContextRef(const ContextRef& other);
  ContextRef& operator=(ContextRef other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~ContextRef();

  Context* get() const { return context_; }
  Context* operator->() const { return context_; }

 private:
  Context* context_;
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_CONTEXT_H_
