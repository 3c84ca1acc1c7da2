// SPDX-License-Identifier: Apache-2.0
//
// libtvm_ffi's own loader of shared libraries is kept and called for
// libraries of today.
#include "classic/register_classic.h"

#include <string>
#include <string_view>

#include "classic/loading/library_module.h"
#include "classic/loading/loader.h"
#include "ffi/call_args.h"
#include "ffi/globals.h"
#include "formats/generation.h"

namespace tvmgo::classic {
namespace {

constexpr char kLoadShared[] = "ffi.Module.load_from_file.so";
constexpr char kLoadAsClassic[] = "ffi.Module.load_from_file.classic";
constexpr char kLoadAsModern[] = "ffi.Module.load_from_file.modern";
constexpr char kLoadClassic[] = "tvmgo.load_classic_library";
constexpr char kGeneration[] = "tvmgo.library_generation";
constexpr char kSystemLibrary[] = "tvmgo.classic_system_library";

// libtvm_ffi's loader, never let go: files may be loaded while the process ends.
const Ref& ModernLoader() {
  static const auto* loader = new Ref(GetGlobal(kLoadShared));
  return *loader;
}

std::string Path(const CallArgs& args) {
  const std::string path(args.Text(0, "path"));
  if (path.empty() || path.find('\0') != std::string::npos) args.Fail(0, "path", "a path");
  return path;
}

Value LoadShared(const CallArgs& args) {
  args.RequireSize(1, 2);
  const std::string_view format = args.size() == 1 ? "so" : args.Text(1, "format");
  if (format == "classic") return Value(LoadClassicLibrary(Path(args)));
  if (format == "modern") return Value(LoadModernLibrary(Path(args), ModernLoader()));
  return Value(LoadSharedLibrary(Path(args), ModernLoader()));
}

Value LoadAsClassic(const CallArgs& args) {
  args.RequireSize(1, 2);
  return Value(LoadClassicLibrary(Path(args)));
}

Value LoadAsModern(const CallArgs& args) {
  args.RequireSize(1, 2);
  return Value(LoadModernLibrary(Path(args), ModernLoader()));
}

Value GenerationText(const CallArgs& args) {
  args.RequireSize(1, 1);
  return Value(std::string_view(GenerationName(LibraryGeneration(Path(args)))));
}

Value SystemLibrary(const CallArgs& args) {
  args.RequireSize(0, 1);
  return Value(LoadSystemLibrary(args.size() == 0 ? "" : std::string(args.Text(0, "prefix"))));
}

constexpr GlobalFunction kGlobals[] = {
    {kLoadShared, LoadShared},     {kLoadAsClassic, LoadAsClassic}, {kLoadAsModern, LoadAsModern},
    {kLoadClassic, LoadAsClassic}, {kGeneration, GenerationText},   {kSystemLibrary, SystemLibrary},
};

void RegisterAll() {
  ModernLoader();  // before its name is taken
  RegisterGlobals(kGlobals);
}

}  // namespace
}  // namespace tvmgo::classic

int TVMGoRegisterClassicLoader(void) { return tvmgo::CatchErrors(tvmgo::classic::RegisterAll); }
