// SPDX-License-Identifier: Apache-2.0
//
// libtvm_ffi's own loader of shared libraries is kept and called for
// libraries of today.
#include "classic/register_classic.h"

#include <string>
#include <string_view>

#include "classic/loading/binding.h"
#include "classic/loading/library.h"
#include "classic/loading/library_module.h"
#include "classic/loading/loader.h"
#include "ffi/call_args.h"
#include "ffi/globals.h"
#include "formats/elf_symbols.h"
#include "formats/generation.h"

namespace tvmgo::classic {
namespace {

constexpr char kLoadShared[] = "ffi.Module.load_from_file.so";
constexpr char kLoadAsClassic[] = "ffi.Module.load_from_file.classic";
constexpr char kLoadAsModern[] = "ffi.Module.load_from_file.modern";
constexpr char kLoadClassic[] = "tvmgo.load_classic_library";
constexpr char kLoadCopy[] = "tvmgo.load_library_copy";
constexpr char kNeedsOrigin[] = "tvmgo.library_needs_origin";
constexpr char kGeneration[] = "tvmgo.library_generation";
constexpr char kClassicSystemLibrary[] = "tvmgo.classic_system_library";
constexpr char kSystemLibrary[] = "tvmgo.system_library";

// libtvm_ffi's loader, never let go: files may be loaded while the process ends.
const Ref& ModernLoader() {
  static const auto* loader = new Ref(GetGlobal(kLoadShared));
  return *loader;
}

std::string Path(const CallArgs& args, int32_t i = 0, const char* name = "path") {
  const std::string path(args.Text(i, name));
  if (path.empty() || path.find('\0') != std::string::npos) args.Fail(i, name, "a path");
  return path;
}

// The file as it lies there.
LibraryFile File(const CallArgs& args) {
  const std::string path = Path(args);
  return LibraryFile{path, path, path};
}

Ref Load(std::string_view format, const LibraryFile& file) {
  if (format == "classic") return LoadClassicLibrary(file);
  if (format == "modern") return LoadModernLibrary(file, ModernLoader());
  return LoadSharedLibrary(file, ModernLoader());
}

Value LoadAs(std::string_view format, const LibraryFile& file) {
  Value module(Load(format, file));
  KeepOpenMP();  // it may have brought one
  return module;
}

Value LoadShared(const CallArgs& args) {
  args.RequireSize(1, 2);
  return LoadAs(args.size() == 1 ? "so" : args.Text(1, "format"), File(args));
}

Value LoadAsClassic(const CallArgs& args) {
  args.RequireSize(1, 2);
  return LoadAs("classic", File(args));
}

Value LoadAsModern(const CallArgs& args) {
  args.RequireSize(1, 2);
  return LoadAs("modern", File(args));
}

Value LoadCopy(const CallArgs& args) {
  args.RequireSize(4, 4);
  return LoadAs(args.Text(1, "format"),
                LibraryFile{Path(args), Path(args, 2, "source"), Path(args, 3, "name")});
}

Value NeedsOrigin(const CallArgs& args) {
  args.RequireSize(1, 1);
  const std::string path = Path(args);
  return Value(int64_t{KindOfFile(path) == FileKind::kElf && ElfSymbols(path).needs_origin()});
}

Value GenerationText(const CallArgs& args) {
  args.RequireSize(1, 1);
  return Value(std::string_view(GenerationName(LibraryGeneration(Path(args)))));
}

std::string Prefix(const CallArgs& args) {
  args.RequireSize(0, 1);
  return args.size() == 0 ? "" : std::string(args.Text(0, "prefix"));
}

Value ClassicSystemLibrary(const CallArgs& args) { return Value(LoadSystemLibrary(Prefix(args))); }

Value AnySystemLibrary(const CallArgs& args) { return Value(LoadAnySystemLibrary(Prefix(args))); }

constexpr GlobalFunction kGlobals[] = {
    {kLoadShared, LoadShared},
    {kLoadAsClassic, LoadAsClassic},
    {kLoadAsModern, LoadAsModern},
    {kLoadClassic, LoadAsClassic},
    {kLoadCopy, LoadCopy},
    {kNeedsOrigin, NeedsOrigin},
    {kGeneration, GenerationText},
    {kClassicSystemLibrary, ClassicSystemLibrary},
    {kSystemLibrary, AnySystemLibrary},
};

void RegisterAll() {
  ModernLoader();  // before its name is taken
  RegisterGlobals(kGlobals);
}

}  // namespace
}  // namespace tvmgo::classic

int TVMGoRegisterClassicLoader(void) { return tvmgo::CatchErrors(tvmgo::classic::RegisterAll); }

int TVMGoExportClassicNames(void) { return tvmgo::CatchErrors(tvmgo::classic::ExportServices); }
