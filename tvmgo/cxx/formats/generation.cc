// SPDX-License-Identifier: Apache-2.0
//
// `__TVMBackend...` variables prove nothing on their own: libraries of 0.21 and
// later have them too.
#include "formats/generation.h"

#include <cstring>
#include <string_view>

namespace tvmgo {
namespace {

bool StartsWith(const char* name, const char* prefix) {
  return std::strncmp(name, prefix, std::strlen(prefix)) == 0;
}

template <size_t size>
bool IsOneOf(const char* name, const char* const (&list)[size]) {
  for (const char* candidate : list) {
    if (std::strcmp(name, candidate) == 0) return true;
  }
  return false;
}

constexpr char kModernPrefix[] = "__tvm_ffi_";

// How 0.21 spelled what is __tvm_ffi__library_ctx and __tvm_ffi__library_bin today.
constexpr const char* kTransitionalVariables[] = {"__tvm_ffi_library_ctx", "__tvm_ffi_library_bin"};

constexpr const char* kClassicDefined[] = {"__TVMFuncCall", "__TVMAPISetLastError",
                                           "__tvm_module_ctx", "__tvm_dev_mblob", "__tvm_main__"};

constexpr const char* kClassicUndefined[] = {"TVMFuncCall", "TVMAPISetLastError",
                                             "TVMBackendGetFuncFromEnv",
                                             "TVMBackendRegisterSystemLibSymbol"};

// All that compiled code of any release calls of tvm-ffi. A library that calls more is a plug-in,
// which registers functions when it is opened and has nothing to call by name.
constexpr const char* kCalledByGeneratedCode[] = {
    "TVMFFIFunctionCall",
    "TVMFFIErrorSetRaised",
    "TVMFFIErrorSetRaisedFromCStr",
    "TVMFFIErrorSetRaisedFromCStrParts",
    "TVMFFIErrorMoveFromRaised",
    "TVMFFIHandleInitOnce",
    "TVMFFIHandleDeinitOnce",
    "TVMFFIObjectIncRef",
    "TVMFFIObjectDecRef",
    "TVMFFIEnvLookupFromImports",
    "TVMFFIEnvModLookupFromImports",
    "TVMFFIEnvRegisterSystemLibSymbol",
    "TVMFFIEnvModRegisterSystemLibSymbol",
};

struct Marks {
  bool modern = false;
  bool transitional = false;
  bool classic = false;
  bool calls_ffi = false;
  bool plug_in = false;
};

void AddSymbol(const ElfSymbol& symbol, Marks* marks) {
  if (symbol.defined) {
    if (StartsWith(symbol.name, kModernPrefix)) {
      (IsOneOf(symbol.name, kTransitionalVariables) ? marks->transitional : marks->modern) = true;
    }
    if (StartsWith(symbol.name, "__TVMFFI")) marks->transitional = true;
    if (StartsWith(symbol.name, "TVMFFI")) marks->modern = true;  // libtvm_ffi itself
    if (IsOneOf(symbol.name, kClassicDefined)) marks->classic = true;
    return;
  }
  if (StartsWith(symbol.name, "TVMFFI")) {
    marks->calls_ffi = true;
    if (!IsOneOf(symbol.name, kCalledByGeneratedCode)) marks->plug_in = true;
  }
  if (IsOneOf(symbol.name, kClassicUndefined)) marks->classic = true;
}

}  // namespace

const char* GenerationName(Generation generation) {
  switch (generation) {
    case Generation::kModern:
      return "modern";
    case Generation::kTransitional:
      return "transitional";
    case Generation::kClassic:
      return "classic";
    default:
      return "undecided";
  }
}

Generation GenerationOf(const ElfSymbols& elf) {
  Marks marks;
  for (const ElfSymbol& symbol : elf.symbols()) AddSymbol(symbol, &marks);
  if (marks.modern) return Generation::kModern;
  if (marks.transitional) return Generation::kTransitional;
  if (marks.calls_ffi) return marks.plug_in ? Generation::kModern : Generation::kTransitional;
  return marks.classic ? Generation::kClassic : Generation::kUndecided;
}

bool IsAheadOfTime(const ElfSymbols& elf) {
  constexpr char kPrefix[] = "tvmgen_";
  constexpr std::string_view kEntry = "___tvm_main__";  // after the name of the model
  constexpr size_t kLongest = 256;
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (!symbol.defined || !symbol.function || !StartsWith(symbol.name, kPrefix)) continue;
    const std::string_view name(symbol.name, strnlen(symbol.name, kLongest));
    if (name.size() > kEntry.size() && name.substr(name.size() - kEntry.size()) == kEntry) {
      return true;
    }
  }
  return false;
}

bool ExportsFunctions(const ElfSymbols& elf) {
  for (const ElfSymbol& symbol : elf.symbols()) {
    if (symbol.defined && symbol.function) return true;
  }
  return false;
}

}  // namespace tvmgo
