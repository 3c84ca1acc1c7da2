// SPDX-License-Identifier: Apache-2.0
//
// Layout:
//
//   symbol = u64 nbytes, u64 count, count entries
//   entry  = str key, payload
//
// The keys `_lib` (the library itself) and `_import_tree` are not modules:
//
//   _import_tree = vec<u64> row_ptr, vec<u64> children; the imports of module i are
//                  children[row_ptr[i]] to children[row_ptr[i + 1] - 1]
//
// Today's libraries have:
//
//   symbol = u64 nbytes, vec<u64> row_ptr, vec<u64> children, entries
//   entry  = str key, str payload, or only the key `_lib`
#include "formats/module_blob.h"

#include <string>
#include <utility>

namespace tvmgo {
namespace {

constexpr char kEmbeddedModules[] = "embedded modules";

struct Kind {
  std::string_view key;
  Payload (*read)(BlobReader* reader);
};

Payload ReadSelf(BlobReader*) { return SelfPayload(); }
Payload ReadNothing(BlobReader*) { return EmptyPayload(); }
Payload ReadFactory(BlobReader* reader) { return ReadGraphFactory(reader); }
Payload ReadConstantsOf(BlobReader* reader) { return ReadConstants(reader); }
Payload ReadDevice(BlobReader* reader) { return DevicePayload{ReadDeviceCode(reader)}; }

constexpr Kind kKinds[] = {
    {"_lib", ReadSelf},
    {"GraphExecutorFactory", ReadFactory},
    {"GraphRuntimeFactory", ReadFactory},  // its name in 0.7
    {"const_loader", ReadConstantsOf},
    {"metadata", ReadConstantsOf},  // its name in 0.7 and 0.8
    {"metadata_module", ReadNothing},
    {"cuda", ReadDevice},
    {"opencl", ReadDevice},
    {"metal", ReadDevice},
    {"hip", ReadDevice},
    {"hsaco", ReadDevice},
};

// Modules of which it is known that nothing can run them: what they are, and when that ended.
struct RemovedKind {
  std::string_view key;
  const char* reason;
};

constexpr RemovedKind kRemovedKinds[] = {
    {"AotExecutorFactory", "a model for the ahead-of-time executor, which ended with TVM 0.20"},
    {"VMExecutable", "a program for the Relay virtual machine, which ended with TVM 0.19"},
    // The name that today's have as well, but not here: libraries of today have a blob of their
    // own.
    {"relax.VMExecutable",
     "a program for the Relax virtual machine of TVM up to 0.20, whose byte "
     "code and calling convention ended with TVM 0.21"},
    {"relax.Executable",
     "a program for the Relax virtual machine of TVM up to 0.20, whose byte "
     "code and calling convention ended with TVM 0.21"},
    {"stackvm", "code for TVM's stack machine, which was removed"},
};

void RequireUsable(std::string_view key, bool has_loader) {
  for (const RemovedKind& removed : kRemovedKinds) {
    if (removed.key == key) {
      TVM_FFI_THROW(RuntimeError) << kEmbeddedModules << ": the library contains a module of kind "
                                  << key << ", which cannot run: it is " << removed.reason
                                  << "; export the original model again, with "
                                     "tvmgo.compiler.export or today's TVM";
    }
  }
  if (!has_loader) {
    TVM_FFI_THROW(RuntimeError) << kEmbeddedModules << ": Binary was created using " << Shown(key)
                                << " but a loader of that name is not registered"
                                << (key == "cuda" ? "; it is in libtvm_runtime_cuda, which needs "
                                                    "CUDA and its driver"
                                                  : "");
  }
}

bool NeedsLoader(const Payload& payload) {
  return std::holds_alternative<DevicePayload>(payload) ||
         std::holds_alternative<JSONRuntimePayload>(payload);
}

class TreeParser {
 public:
  explicit TreeParser(ModuleBlob* blob) : blob_(blob) {}

  void Read(BlobReader* reader) {
    row_ptr_ = reader->Numbers("the rows of the import tree");
    children_ = reader->Numbers("the imports of the import tree");
    blob_->has_tree = true;
  }

  void Build() {
    const size_t size = blob_->modules.size();
    Require(size != 0 && row_ptr_.size() == size + 1 && row_ptr_.front() == 0 &&
                row_ptr_.back() == children_.size(),
            "as many rows as modules, from 0 to the number of imports");
    for (size_t i = 0; i < size; ++i) {
      Require(row_ptr_[i] <= row_ptr_[i + 1] && row_ptr_[i + 1] <= children_.size(),
              "rows that do not go back");
      for (uint64_t at = row_ptr_[i]; at < row_ptr_[i + 1]; ++at) {
        Require(children_[at] < size, "imports that are modules of the list");
        blob_->modules[i].imports.push_back(static_cast<uint32_t>(children_[at]));
      }
    }
    RequireNoCycle();
  }

  void RequireSelf() const {
    size_t selves = 0;
    for (const EmbeddedModule& module : blob_->modules) {
      selves += std::holds_alternative<SelfPayload>(module.payload);
    }
    Require(selves == 1, "one place for the library itself");
  }

  size_t num_rows() const { return row_ptr_.size(); }

 private:
  static void Require(bool condition, const char* expected) {
    if (condition) return;
    TVM_FFI_THROW(ValueError) << kEmbeddedModules << ": import tree: expected " << expected;
  }

  // Takes away modules that nothing left imports, until none is left.
  void RequireNoCycle() const {
    const std::vector<EmbeddedModule>& modules = blob_->modules;
    std::vector<size_t> importers(modules.size(), 0);
    for (uint64_t child : children_) ++importers[child];
    std::vector<uint32_t> free;
    for (uint32_t i = 0; i < modules.size(); ++i) {
      if (importers[i] == 0) free.push_back(i);
    }
    size_t taken = 0;
    while (!free.empty()) {
      const uint32_t module = free.back();
      free.pop_back();
      ++taken;
      for (uint32_t import : modules[module].imports) {
        if (--importers[import] == 0) free.push_back(import);
      }
    }
    Require(taken == modules.size(), "no module that imports itself");
  }

  ModuleBlob* blob_;
  std::vector<uint64_t> row_ptr_, children_;
};

Payload ReadPayload(std::string_view key, BlobReader* reader,
                    const std::function<bool(std::string_view)>& has_loader) {
  for (const Kind& kind : kKinds) {
    if (kind.key != key) continue;
    Payload payload = kind.read(reader);
    if (NeedsLoader(payload)) RequireUsable(key, has_loader(key));
    return payload;
  }
  // Unknown sizes cannot be skipped; but what the runtime can load and is not in the table is one
  // of the external libraries, which all write alike.
  RequireUsable(key, has_loader(key));
  return JSONRuntimePayload{ReadJSONRuntime(reader)};
}

}  // namespace

ModuleBlob ParseModuleBlob(std::string_view symbol,
                           const std::function<bool(std::string_view key)>& has_loader) {
  BlobReader outer(symbol, kEmbeddedModules);
  BlobReader reader(outer.Text("the embedded modules"), kEmbeddedModules);
  ModuleBlob blob;
  TreeParser tree(&blob);
  const uint64_t count = reader.Count("the number of modules", sizeof(uint64_t));
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view key = reader.Text("a module's kind");
    if (key == "_import_tree") {
      reader.Expect(!blob.has_tree, "only one import tree");
      tree.Read(&reader);
    } else {
      blob.modules.push_back(EmbeddedModule{key, ReadPayload(key, &reader, has_loader), {}});
    }
  }
  reader.Expect(reader.remaining() == 0, "the end of the embedded modules");
  if (blob.has_tree) {
    tree.Build();
    tree.RequireSelf();
  }
  return blob;
}

std::vector<std::string_view> CheckTodaysModuleBlob(std::string_view symbol) {
  BlobReader outer(symbol, kEmbeddedModules);
  BlobReader reader(outer.Text("the embedded modules"), kEmbeddedModules);
  ModuleBlob blob;
  TreeParser tree(&blob);
  tree.Read(&reader);
  std::vector<std::string_view> keys;
  for (size_t i = 1; i < tree.num_rows(); ++i) {
    const std::string_view key = reader.Text("a module's kind");
    Payload payload = SelfPayload();
    if (key != "_lib") payload = JSONRuntimePayload{reader.Text("a module")};
    blob.modules.push_back(EmbeddedModule{key, std::move(payload), {}});
    keys.push_back(key);
  }
  tree.Build();
  return keys;
}

}  // namespace tvmgo
