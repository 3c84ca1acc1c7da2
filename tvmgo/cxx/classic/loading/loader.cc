// SPDX-License-Identifier: Apache-2.0
#include "classic/loading/loader.h"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "classic/loading/binding.h"
#include "classic/loading/const_loader.h"
#include "classic/loading/context.h"
#include "classic/loading/library_module.h"
#include "classic/loading/system_symbols.h"
#include "ffi/module_object.h"
#include "formats/blob_reader.h"
#include "formats/elf_symbols.h"
#include "formats/module_blob.h"
#include "graph/module/executor_factory.h"

namespace tvmgo::classic {
namespace {

constexpr char kBlob[] = "__tvm_dev_mblob";

// The global function by which the runtime makes a module from bytes.
std::string LoaderName(std::string_view key) {
  if (key == "hsaco") key = "hip";  // one module, which wrote either
  return "ffi.Module.load_from_bytes." + std::string(key);
}

Ref LoadFromBytes(std::string_view key, std::string_view payload) {
  TVMFFIByteArray bytes{payload.data(), payload.size()};
  TVMFFIAny any{};
  any.type_index = kTVMFFIByteArrayPtr;
  any.v_ptr = &bytes;
  return Call(GetGlobal(LoaderName(key)), any).TakeObject();
}

// Makes the module of one payload.
struct ModuleOfPayload {
  std::string_view key;
  const Ref& library;

  Ref operator()(const SelfPayload&) const { return library; }
  Ref operator()(const EmptyPayload&) const { return NewEmptyModule("metadata_module"); }
  Ref operator()(const GraphFactoryPayload& payload) const {
    std::vector<FactoryParam> params;
    for (const NamedTensor& param : payload.params) {
      params.push_back(FactoryParam{std::string(param.name), NewTensor(param.tensor)});
    }
    return NewExecutorFactory(std::string(payload.graph_json), std::move(params),
                              std::string(payload.model_name));
  }
  Ref operator()(const ConstantsPayload& payload) const { return NewConstLoader(payload); }
  Ref operator()(const DevicePayload& payload) const { return LoadFromBytes(key, payload.bytes); }
  Ref operator()(const JSONRuntimePayload& payload) const {
    return LoadFromBytes(key, payload.bytes);
  }
};

// The root of the tree; `library` takes its place in it.
Ref BuildTree(const ModuleBlob& blob, const Ref& library) {
  std::vector<Ref> modules;
  for (const EmbeddedModule& embedded : blob.modules) {
    modules.push_back(std::visit(ModuleOfPayload{embedded.key, library}, embedded.payload));
  }
  if (!blob.has_tree) {
    for (const Ref& module : modules) {
      if (module.get() != library.get()) ImportModule(library, module);
    }
    return library;
  }
  for (size_t i = 0; i < modules.size(); ++i) {
    for (uint32_t import : blob.modules[i].imports) ImportModule(modules[i], modules[import]);
  }
  return std::move(modules.front());
}

ContextRef Open(const ElfSymbols& elf, const std::string& path) {
  PrepareServices(elf, path);
  try {
    return ContextRef(path);
  } catch (const tvm::ffi::Error&) {
    ThrowIfObsolete(elf, path);
    throw;
  }
}

void RequireOwnMachine(const ElfSymbols& elf, const std::string& path) {
  if (elf.foreign().empty()) return;
  TVM_FFI_THROW(ValueError) << path << ": it cannot be loaded here: " << elf.foreign();
}

[[noreturn]] void RefuseTransitional(const std::string& path) {
  TVM_FFI_THROW(ValueError) << path << ": it was compiled by TVM 0.21, which gave today's calling "
                            << "convention to functions with the names of the old one; compile the "
                            << "model again with TVM up to 0.20 or from 0.22";
  TVM_FFI_UNREACHABLE();
}

// The root of the modules in the library's blob, or the library if it has none.
Ref WithEmbedded(const Ref& library, std::string_view blob, Context* context) {
  if (blob.empty()) return library;
  const auto has_loader = [](std::string_view key) {
    return static_cast<bool>(FindGlobal(LoaderName(key)));
  };
  Ref root = BuildTree(ParseModuleBlob(blob, has_loader), library);
  context->SetImports(ImportsOf(library.get()));
  return root;
}

Ref LoadClassic(const ElfSymbols& elf, const std::string& path) {
  ContextRef context = Open(elf, path);
  Context* held = context.get();
  const Ref library = NewLibraryModule(std::move(context));
  return WithEmbedded(library, held->library().FindBytes(kBlob), held);
}

[[noreturn]] void RefuseNoLibrary(const std::string& path) {
  TVM_FFI_THROW(ValueError) << path << ": it is not a shared library of ELF";
  TVM_FFI_UNREACHABLE();
}

// A file by another system's rules or by none; nothing on other systems, whose loaders will do.
void RefuseForeignFormat(FileKind kind, const std::string& path) {
#ifdef __linux__
  if (kind == FileKind::kMachO) {
    TVM_FFI_THROW(ValueError) << path << ": it is a Mach-O file, a library for macOS or iOS, and "
                              << "this is Linux";
  }
  if (kind == FileKind::kPortableExecutable) {
    TVM_FFI_THROW(ValueError) << path << ": it is a PE file, a library for Windows, and this is "
                              << "Linux";
  }
  if (kind == FileKind::kOther) RefuseNoLibrary(path);
#else
  (void)kind;
  (void)path;
#endif
}

void RequireFile(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0) return;
  // All else, such as a folder that must not be looked into: reading will say so.
  if (errno != ENOENT && errno != ENOTDIR) return;
  TVM_FFI_THROW(FileNotFoundError) << path << ": there is no such file";
}

// That the runtime can follow the tree of a library of today.
void RequireModules(const ElfSymbols& elf) {
  if (!elf.library_bin().empty()) CheckTodaysModuleBlob(elf.library_bin());
}

Ref LoadModern(const Ref& load_modern, const std::string& path) {
  return Call(load_modern, Value(std::string_view(path)).view(),
              Value(std::string_view("so")).view())
      .TakeObject();
}

}  // namespace

Generation LibraryGeneration(const std::string& path) {
  RequireFile(path);
  if (KindOfFile(path) != FileKind::kElf) RefuseNoLibrary(path);
  return GenerationOf(ElfSymbols(path));
}

Ref LoadClassicLibrary(const std::string& path) {
  RequireFile(path);
  const FileKind kind = KindOfFile(path);
  RefuseForeignFormat(kind, path);
  if (kind != FileKind::kElf) RefuseNoLibrary(path);
#ifndef __linux__
  TVM_FFI_THROW(RuntimeError) << path << ": classic libraries can be loaded on Linux only";
#endif
  const ElfSymbols elf(path);
  RequireOwnMachine(elf, path);
  if (GenerationOf(elf) == Generation::kTransitional) RefuseTransitional(path);
  return LoadClassic(elf, path);
}

Ref LoadModernLibrary(const std::string& path, const Ref& load_modern) {
  const FileKind kind = KindOfFile(path);
  RefuseForeignFormat(kind, path);
  if (kind == FileKind::kElf) {
    const ElfSymbols elf(path);
    RequireOwnMachine(elf, path);
    RequireModules(elf);
  }
  return LoadModern(load_modern, path);
}

Ref LoadSystemLibrary(const std::string& prefix) {
  Context* context = BindSystemLibrary(prefix);
  const Ref library = NewSystemLibraryModule(prefix, context);
  const auto* blob = static_cast<const char*>(SystemSymbols::Find(prefix, kBlob));
  if (blob == nullptr) return library;
  // Part of the program, so its length is believed; there is nobody to ask where it ends.
  const auto nbytes = BlobReader({blob, sizeof(uint64_t)}, kBlob).Number<uint64_t>("the length");
  return WithEmbedded(library, {blob, sizeof(uint64_t) + nbytes}, context);
}

Ref LoadSharedLibrary(const std::string& path, const Ref& load_modern) {
  const FileKind kind = KindOfFile(path);
  RefuseForeignFormat(kind, path);
  if (kind != FileKind::kElf) return LoadModern(load_modern, path);  // which says what is wrong
  const ElfSymbols elf(path);
  RequireOwnMachine(elf, path);
  switch (GenerationOf(elf)) {
    case Generation::kTransitional:
      RefuseTransitional(path);
    case Generation::kClassic:
      return LoadClassic(elf, path);
    case Generation::kUndecided:
      if (ExportsFunctions(elf)) return LoadClassic(elf, path);
      break;
    case Generation::kModern:
      break;
  }
  RequireModules(elf);
  return LoadModern(load_modern, path);
}

}  // namespace tvmgo::classic
