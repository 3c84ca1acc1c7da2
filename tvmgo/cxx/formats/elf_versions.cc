// SPDX-License-Identifier: Apache-2.0
//
// Two lists of lists, all linked by distances:
//
//   needed  = u16 1, u16 count, u32 library, u32 to its first version, u32 to the next library
//   version = u32 hash, u16 flags, u16 index, u32 name, u32 to the next version
//   defined = u16 1, u16 flags, u16 index, u16 count, u32 hash, u32 to its name, u32 to the next
#include "formats/elf_versions.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_set>

namespace tvmgo {
namespace {

constexpr char kWhat[] = "a table of versions";

class VersionReader {
 public:
  VersionReader(const ElfFile& file, std::string_view names)
      : file_(file), names_(names), steps_left_(file.size()) {}

  void ReadNeeded(uint64_t library, const std::vector<uint64_t>& libraries) {
    std::unordered_set<std::string_view> known;
    for (uint64_t at : libraries) known.insert(NameAt(at));
    for (uint64_t next = 1; next != 0; library += next) {
      const std::string entry = Entry(library, 16);
      if (known.count(NameAt(file_.Number(entry, 4, 4))) == 0) {
        file_.Fail("it wants versions of a library that it does not need");
      }
      ReadVersions(library + file_.Number(entry, 8, 4));
      next = file_.Number(entry, 12, 4);
    }
  }

  void ReadDefined(uint64_t version) {
    for (uint64_t next = 1; next != 0; version += next) {
      const std::string entry = Entry(version, 20);
      AddIndex(file_.Number(entry, 4, 2));
      NameAt(file_.Number(Entry(version + file_.Number(entry, 12, 4), 8), 0, 4));
      next = file_.Number(entry, 16, 4);
    }
  }

  void CheckSymbols(uint64_t address, uint64_t num_symbols) const {
    const std::string table = file_.ReadAt(address, 2 * num_symbols, kWhat);
    for (uint64_t i = 0; i < num_symbols; ++i) {
      if ((file_.Number(table, 2 * i, 2) & kIndexMask) > highest_ || highest_ == 0) {
        file_.Fail("a symbol is of a version that is not there");
      }
    }
  }

 private:
  static constexpr uint64_t kIndexMask = 0x7fff;

  void ReadVersions(uint64_t version) {
    for (uint64_t next = 1; next != 0; version += next) {
      const std::string entry = Entry(version, 16);
      AddIndex(file_.Number(entry, 6, 2));
      NameAt(file_.Number(entry, 8, 4));
      next = file_.Number(entry, 12, 4);
    }
  }

  void AddIndex(uint64_t index) { highest_ = std::max(highest_, index & kIndexMask); }

  // Lists that overlap would take time out of all proportion to the file.
  std::string Entry(uint64_t address, size_t size) {
    if (steps_left_-- == 0) file_.Fail("its tables of versions do not end");
    return file_.ReadAt(address, size, kWhat);
  }

  // The beginning will do: all names of a hostile file could overlap.
  std::string_view NameAt(uint64_t at) const {
    constexpr size_t kEnough = 256;
    if (at >= names_.size()) file_.Fail("a name lies outside the string table");
    return {names_.data() + at, strnlen(names_.data() + at, std::min(kEnough, names_.size() - at))};
  }

  const ElfFile& file_;
  std::string_view names_;
  uint64_t steps_left_;
  uint64_t highest_ = 0;
};

}  // namespace

void CheckVersions(const ElfFile& file, const ElfVersionTables& tables, uint64_t num_symbols,
                   std::string_view names) {
  VersionReader reader(file, names);
  if (tables.needed) reader.ReadNeeded(*tables.needed, tables.libraries);
  if (tables.defined) reader.ReadDefined(*tables.defined);
  if (tables.of_symbols) reader.CheckSymbols(*tables.of_symbols, num_symbols);
}

}  // namespace tvmgo
