// SPDX-License-Identifier: Apache-2.0
//
// Addresses and sizes come from the system's loader, which mapped the symbol tables;
// the library's code may still be anything, but no lie in those tables leads outside its segments.
#include "classic/loading/library.h"

#ifdef __linux__
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstring>
#include <utility>

#include "classic/loading/system_symbols.h"
#include "ffi/ffi.h"

namespace tvmgo::classic {
Library::Library(Library&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      name_(std::move(other.name_)),
      segments_(std::move(other.segments_)) {}

Library& Library::operator=(Library&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(name_, other.name_);
  std::swap(segments_, other.segments_);
  return *this;
}

#ifdef __linux__

Library::Library(const std::string& path) {
  // Without a slash the system would search its own folders.
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  {
    const SystemSymbols::Opening opening;
    handle_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (handle_ == nullptr) {
    const char* problem = dlerror();
    TVM_FFI_THROW(RuntimeError) << "Failed to load dynamic shared library " << path << ": "
                                << (problem != nullptr ? problem : "the system gave no reason");
  }
  name_ = static_cast<const link_map*>(handle_)->l_name;
  ReadSegments();
}

void Library::ReadSegments() {
  struct Wanted {
    const link_map* map;
    std::vector<Segment>* segments;
  };
  const auto visit = [](dl_phdr_info* info, size_t, void* data) {
    const auto* wanted = static_cast<Wanted*>(data);
    if (info->dlpi_addr != wanted->map->l_addr ||
        std::strcmp(info->dlpi_name, wanted->map->l_name) != 0) {
      return 0;
    }
    Segment relocated{};  // read-only once the library has been opened
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const auto& header = info->dlpi_phdr[i];
      const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
      const Segment segment{begin, begin + header.p_memsz, (header.p_flags & PF_W) != 0,
                            (header.p_flags & PF_X) != 0};
      if (header.p_type == PT_LOAD) wanted->segments->push_back(segment);
      if (header.p_type == PT_GNU_RELRO) relocated = segment;
    }
    // The first match counts, so the read-only part stands before what contains it.
    relocated.writable = false;
    wanted->segments->insert(wanted->segments->begin(), relocated);
    return 1;
  };
  Wanted wanted{static_cast<const link_map*>(handle_), &segments_};
  dl_iterate_phdr(visit, &wanted);
}

void Library::Redirect(const std::vector<Redirection>& redirections) const {
  if (segments_.empty()) return;
  // The read-only part stands first; the system protects whole pages.
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const Segment& relocated = segments_.front();
  RedirectImports(handle_, relocated.begin / page_size * page_size,
                  relocated.end / page_size * page_size, redirections);
}

void KeepOpenMP() {
  std::vector<std::string> paths;
  const auto visit = [](dl_phdr_info* info, size_t, void* data) {
    const std::string_view path = info->dlpi_name;
    const std::string_view name = path.substr(path.rfind('/') + 1);
    for (const std::string_view prefix : {"libgomp", "libomp", "libiomp5"}) {
      if (name.substr(0, prefix.size()) != prefix) continue;
      static_cast<std::vector<std::string>*>(data)->emplace_back(path);
    }
    return 0;
  };
  dl_iterate_phdr(visit, &paths);
  for (const std::string& path : paths) {
    void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    if (handle != nullptr) dlclose(handle);
  }
}

void* GloballyVisible(const char* name) { return dlsym(RTLD_DEFAULT, name); }

void MakeGloballyVisible(void* function) {
  Dl_info info;
  if (dladdr(function, &info) == 0 || info.dli_fname == nullptr) return;
  if (void* handle = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL)) dlclose(handle);
}

bool Library::Close() {
  if (handle_ == nullptr) return false;
  const void* before = std::exchange(handle_, nullptr);
  dlclose(const_cast<void*>(before));
  void* still = dlopen(name_.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (still == nullptr) {
    dlerror();  // that it is gone was the question, not an error
    return false;
  }
  dlclose(still);
  return still == before;
}

Library::Symbol Library::Find(const char* name) const {
  dlerror();
  if (void* address = dlsym(handle_, name)) return At(address, name);
  dlerror();
  void* registered = SystemSymbols::FindIn(handle_, name);
  if (registered == nullptr) return Symbol();
  Symbol symbol = At(registered, name);  // of no name that the system knows
  symbol.function = symbol.executable;
  symbol.object = !symbol.executable;
  return symbol;
}

// What stands at an address, under that name: nothing unless it is this library's own.
Library::Symbol Library::At(void* address, const char* name) const {
  const auto number = reinterpret_cast<uintptr_t>(address);
  for (const Segment& segment : segments_) {
    if (number < segment.begin || number >= segment.end) continue;
    Symbol symbol;
    symbol.address = static_cast<char*>(address);
    symbol.nbytes = segment.end - number;
    symbol.writable = segment.writable;
    symbol.executable = segment.executable;
    Dl_info info;
    const ElfW(Sym)* entry = nullptr;
    if (dladdr1(address, &info, const_cast<void**>(reinterpret_cast<const void**>(&entry)),
                RTLD_DL_SYMENT) != 0 &&
        entry != nullptr) {
      const unsigned type = entry->st_info & 15;
      symbol.function = type == STT_FUNC;
      symbol.object = type == STT_OBJECT;
      // Of several names of a place the system gives any. Linkers put names without a type where
      // sections begin, such as `__bss_start`, where the first variable may be.
      if (type == STT_NOTYPE && std::strcmp(info.dli_sname, name) != 0) {
        symbol.function = symbol.executable;
        symbol.object = !symbol.executable;
      }
      if (entry->st_size != 0) symbol.nbytes = std::min<size_t>(symbol.nbytes, entry->st_size);
    }
    return symbol;
  }
  return Symbol();
}

#else  // classic libraries are looked for on Linux only; the loader says so before it comes here

void KeepOpenMP() {}
void* GloballyVisible(const char*) { return nullptr; }
void MakeGloballyVisible(void*) {}
Library::Library(const std::string& path) : name_(path) {}
void Library::ReadSegments() {}
void Library::Redirect(const std::vector<Redirection>&) const {}
bool Library::Close() { return false; }
Library::Symbol Library::Find(const char*) const { return Symbol(); }
Library::Symbol Library::At(void*, const char*) const { return Symbol(); }

#endif

PackedFunction Library::FindFunction(const std::string& name) const {
  if (name.find('\0') != std::string::npos) return nullptr;  // the system would stop reading there
  const Symbol symbol = Find(name.c_str());
  return symbol.function ? reinterpret_cast<PackedFunction>(symbol.address) : nullptr;
}

void* Library::FindVariable(const char* name, size_t nbytes) const {
  const Symbol symbol = Find(name);
  return symbol.object && symbol.writable && symbol.nbytes >= nbytes ? symbol.address : nullptr;
}

std::string_view Library::FindBytes(const char* name) const {
  const Symbol symbol = Find(name);
  if (!symbol.object) return {};
  return {symbol.address, symbol.nbytes};
}

}  // namespace tvmgo::classic
