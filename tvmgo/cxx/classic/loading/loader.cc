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
#include "ffi/globals.h"
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

// Whether the runtime has one, after loading what may bring it.
bool HasLoader(std::string_view key) {
  const std::string name = LoaderName(key);
  if (FindGlobal(name)) return true;
  if (key != "cuda") return false;
  LoadDeviceFunctions();
  return static_cast<bool>(FindGlobal(name));
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

// Calls `open`. The system's own words for a failure name the file as it was opened; here they name
// what its user calls it.
template <typename Open>
auto NamingPath(const LibraryFile& file, Open open) {
  try {
    return open();
  } catch (const tvm::ffi::Error& error) {
    std::string message = error.message();
    size_t at = message.find(file.name);
    if (file.name == file.path || at == std::string::npos) throw;
    for (; at != std::string::npos; at = message.find(file.name, at + file.path.size())) {
      message.replace(at, file.name.size(), file.path);
    }
    throw tvm::ffi::Error(error.kind(), message, error.backtrace());
  }
}

ContextRef Open(const ElfSymbols& elf, const LibraryFile& file) {
  PrepareServices(elf, file.path);
  try {
    return NamingPath(file, [&] { return ContextRef(file.name); });
  } catch (const tvm::ffi::Error&) {
    ThrowIfObsolete(elf, file.path);
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

[[noreturn]] void RefuseAheadOfTime(const std::string& path) {
  TVM_FFI_THROW(ValueError) << path << ": it was compiled for TVM's ahead-of-time executor, which "
                            << "ended with TVM 0.20, and has no functions that can be called by "
                            << "name with arguments; export the original model again, with "
                            << "tvmgo.compiler.export or today's TVM";
  TVM_FFI_UNREACHABLE();
}

// The root of the modules in the library's blob, or the library if it has none.
Ref WithEmbedded(const Ref& library, std::string_view blob, Context* context) {
  if (blob.empty()) return library;
  Ref root = BuildTree(ParseModuleBlob(blob, HasLoader), library);
  context->SetImports(ImportsOf(library.get()));
  return root;
}

Ref LoadClassic(const ElfSymbols& elf, const LibraryFile& file) {
  ContextRef context = Open(elf, file);
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

Ref CallModern(const Ref& load_modern, const LibraryFile& file) {
  return NamingPath(file, [&] {
    return Call(load_modern, Value(std::string_view(file.name)).view(),
                Value(std::string_view("so")).view())
        .TakeObject();
  });
}

// That the runtime can follow the tree of a library of today, and can load all of it where that is
// only a matter of loading more of the runtime.
void PrepareModules(const ElfSymbols& elf) {
  if (elf.library_bin().empty()) return;
  for (const std::string_view key : CheckTodaysModuleBlob(elf.library_bin())) HasLoader(key);
}

// Whether the library, or a module in it, may call the runtime's functions by name.
bool LooksUpFunctions(const ElfSymbols& elf) {
  if (!elf.library_bin().empty()) return true;
  for (const char* name :
       {"__TVMFFIEnvModLookupFromImports", "TVMFFIEnvModLookupFromImports",
        "__TVMFFIEnvLookupFromImports", "TVMFFIEnvLookupFromImports", "TVMFFIFunctionGetGlobal"}) {
    if (elf.Find(name) != nullptr) return true;
  }
  return false;
}

// If they cannot be loaded, whoever needs them will say so.
void TryToLoadExtraFunctions() {
  try {
    LoadExtraFunctions();
  } catch (const tvm::ffi::Error&) {
  }
}

// The runtime's loader is told a name, and nothing of what the file needs.
Ref LoadModern(const Ref& load_modern, const ElfSymbols& elf, const LibraryFile& file) {
  RequireOwnMachine(elf, file.path);
  PrepareModules(elf);
  if (LooksUpFunctions(elf)) TryToLoadExtraFunctions();
  Ref module = CallModern(load_modern, file);
  ReclaimVariables(elf, file.name);
  return module;
}

}  // namespace

Generation LibraryGeneration(const std::string& path) {
  RequireFile(path);
  if (KindOfFile(path) != FileKind::kElf) RefuseNoLibrary(path);
  return GenerationOf(ElfSymbols(path));
}

Ref LoadClassicLibrary(const LibraryFile& file) {
  RequireFile(file.source);
  const FileKind kind = KindOfFile(file.source);
  RefuseForeignFormat(kind, file.path);
  if (kind != FileKind::kElf) RefuseNoLibrary(file.path);
#ifndef __linux__
  TVM_FFI_THROW(RuntimeError) << file.path << ": classic libraries can be loaded on Linux only";
#endif
  const ElfSymbols elf(file.source, file.path);
  RequireOwnMachine(elf, file.path);
  if (GenerationOf(elf) == Generation::kTransitional) RefuseTransitional(file.path);
  return LoadClassic(elf, file);
}

Ref LoadModernLibrary(const LibraryFile& file, const Ref& load_modern) {
  const FileKind kind = KindOfFile(file.source);
  RefuseForeignFormat(kind, file.path);
  if (kind != FileKind::kElf) return CallModern(load_modern, file);  // which says what is wrong
  return LoadModern(load_modern, ElfSymbols(file.source, file.path), file);
}

Ref LoadAnySystemLibrary(const std::string& prefix) {
  const Ref modern =
      Call(GetGlobal("ffi.SystemLib"), Value(std::string_view(prefix)).view()).TakeObject();
  if (!SystemSymbols::HasAny()) return modern;
  const Ref classic = LoadSystemLibrary(prefix);
  ImportModule(classic, modern);
  return classic;
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

Ref LoadSharedLibrary(const LibraryFile& file, const Ref& load_modern) {
  const FileKind kind = KindOfFile(file.source);
  RefuseForeignFormat(kind, file.path);
  if (kind != FileKind::kElf) return CallModern(load_modern, file);
  const ElfSymbols elf(file.source, file.path);
  RequireOwnMachine(elf, file.path);
  switch (GenerationOf(elf)) {
    case Generation::kTransitional:
      RefuseTransitional(file.path);
    case Generation::kClassic:
      return LoadClassic(elf, file);
    case Generation::kUndecided:
      if (IsAheadOfTime(elf)) RefuseAheadOfTime(file.path);
      if (ExportsFunctions(elf)) return LoadClassic(elf, file);
      break;
    case Generation::kModern:
      break;
  }
  return LoadModern(load_modern, elf, file);
}

}  // namespace tvmgo::classic
