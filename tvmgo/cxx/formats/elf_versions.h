// SPDX-License-Identifier: Apache-2.0
//
// The versions of symbols in a shared library. The system's loader follows these tables without
// any check, so a file in which they lead elsewhere has to be refused before.
#ifndef TVMGO_CXX_FORMATS_ELF_VERSIONS_H_
#define TVMGO_CXX_FORMATS_ELF_VERSIONS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/elf_file.h"

namespace tvmgo {

// What the dynamic section says about them.
struct ElfVersionTables {
  std::optional<uint64_t> of_symbols;  // addresses
  std::optional<uint64_t> needed;
  std::optional<uint64_t> defined;
  std::vector<uint64_t> libraries;  // where the names of needed libraries begin
};

// Throws ValueError unless all lists end inside the file, name what `names` has, which ends with
// NUL, and tell every version that a symbol has.
void CheckVersions(const ElfFile& file, const ElfVersionTables& tables, uint64_t num_symbols,
                   std::string_view names);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_ELF_VERSIONS_H_
