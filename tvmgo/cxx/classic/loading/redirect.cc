// SPDX-License-Identifier: Apache-2.0
//
// The relocation tables say which words the system's loader has filled. It has
// walked them already, so they are sound.
#include "classic/loading/redirect.h"

#ifdef __linux__
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "ffi/ffi.h"

namespace tvmgo::classic {
namespace {

// Writes a word, lifting the protection of its page for the moment if it is read-only.
void Write(uintptr_t place, const void* value, bool read_only) {
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  void* page = reinterpret_cast<void*>(place / page_size * page_size);
  if (read_only && mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) {
    TVM_FFI_THROW(RuntimeError) << "the system does not let the imports of a library be changed";
  }
  std::memcpy(reinterpret_cast<void*>(place), &value, sizeof(value));
  if (read_only) mprotect(page, page_size, PROT_READ);
}

// One relocation table, with or without addends: places come first in either kind of entry.
struct Table {
  uintptr_t address = 0;
  size_t nbytes = 0;
  size_t entry_bytes = 0;
};

}  // namespace

void RedirectImports(void* handle, uintptr_t read_only_begin, uintptr_t read_only_end,
                     const std::vector<Redirection>& redirections) {
  const auto* map = static_cast<const link_map*>(handle);
  Table with_addends, without, calls;
  with_addends.entry_bytes = sizeof(ElfW(Rela));
  without.entry_bytes = sizeof(ElfW(Rel));
  // Some systems' loaders turn these offsets into addresses in place.
  const auto address = [map](uintptr_t value) {
    return value < map->l_addr ? value + map->l_addr : value;
  };
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_RELA:
        with_addends.address = address(entry->d_un.d_ptr);
        break;
      case DT_RELASZ:
        with_addends.nbytes = entry->d_un.d_val;
        break;
      case DT_REL:
        without.address = address(entry->d_un.d_ptr);
        break;
      case DT_RELSZ:
        without.nbytes = entry->d_un.d_val;
        break;
      case DT_JMPREL:
        calls.address = address(entry->d_un.d_ptr);
        break;
      case DT_PLTRELSZ:
        calls.nbytes = entry->d_un.d_val;
        break;
      case DT_PLTREL:
        calls.entry_bytes = entry->d_un.d_val == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        break;
      default:
        break;
    }
  }
  for (const Table& table : {with_addends, without, calls}) {
    if (table.address == 0 || table.entry_bytes == 0) continue;
    for (size_t at = 0; at + table.entry_bytes <= table.nbytes; at += table.entry_bytes) {
      ElfW(Rel) entry;
      std::memcpy(&entry, reinterpret_cast<const void*>(table.address + at), sizeof(entry));
      constexpr int kSymbolShift = sizeof(void*) == 8 ? 32 : 8;
      if (entry.r_info >> kSymbolShift == 0) continue;  // of no symbol, perhaps of no place
      const uintptr_t place = map->l_addr + entry.r_offset;
      const void* found;
      std::memcpy(&found, reinterpret_cast<const void*>(place), sizeof(found));
      for (const Redirection& redirection : redirections) {
        if (found != redirection.from) continue;
        Write(place, redirection.to, read_only_begin <= place && place < read_only_end);
        break;
      }
    }
  }
}

}  // namespace tvmgo::classic

#else  // as in library.cc

namespace tvmgo::classic {

void RedirectImports(void*, uintptr_t, uintptr_t, const std::vector<Redirection>&) {}

}  // namespace tvmgo::classic

#endif
