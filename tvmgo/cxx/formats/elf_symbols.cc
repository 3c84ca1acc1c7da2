// SPDX-License-Identifier: Apache-2.0
//
// Follows what the system's loader follows, the dynamic section; section headers
// only help to count symbols. Every table that the loader walks must be where it is said to be.
#include "formats/elf_symbols.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "formats/elf_file.h"
#include "formats/elf_versions.h"
#include "formats/module_outline.h"

namespace tvmgo {
namespace {

enum : uint64_t {
  kDynNull = 0,
  kDynNeeded = 1,
  kDynPltRelSize = 2,
  kDynHash = 4,
  kDynStrTab = 5,
  kDynSymTab = 6,
  kDynRela = 7,
  kDynRelaSize = 8,
  kDynRelaEntry = 9,
  kDynStrSize = 10,
  kDynSymEntry = 11,
  kDynInit = 12,
  kDynFini = 13,
  kDynSoName = 14,
  kDynRPath = 15,
  kDynRel = 17,
  kDynRelSize = 18,
  kDynRelEntry = 19,
  kDynPltRel = 20,
  kDynJmpRel = 23,
  kDynInitArray = 25,
  kDynFiniArray = 26,
  kDynInitArraySize = 27,
  kDynFiniArraySize = 28,
  kDynRunPath = 29,
  kDynRelrSize = 35,
  kDynRelr = 36,
  kDynRelrEntry = 37,
  kDynGnuHash = 0x6ffffef5,
  kDynVerSym = 0x6ffffff0,
  kDynRelaCount = 0x6ffffff9,
  kDynRelCount = 0x6ffffffa,
  kDynVerDef = 0x6ffffffc,
  kDynVerNeed = 0x6ffffffe,
};

constexpr char kTable[] = "a table of the dynamic section";

}  // namespace

class ElfReader {
 public:
  ElfReader(const std::string& source, const std::string& path, ElfSymbols* out)
      : file_(source, path), out_(out) {}

  void Read() {
    out_->foreign_ = file_.DescribeForeign();
    if (file_.dynamic().empty()) return;
    ReadTags();
    CheckTables();
    CheckStartAndEnd();
    ReadNames();
    const uint64_t count = CountSymbols();
    // So that the size of no table of theirs can overflow.
    if (count > file_.size()) file_.Fail("its dynamic symbol table is larger than the file");
    const ElfVersionTables versions{Tag(kDynVerSym), Tag(kDynVerNeed), Tag(kDynVerDef), needed_at_};
    CheckVersions(file_, versions, count, out_->names_);
    ReadSymbols(file_.Locate(*Tag(kDynSymTab), 0, "the dynamic symbol table").offset, count);
  }

 private:
  void ReadTags() {
    const std::string& table = file_.dynamic();
    for (size_t at = 0; at + 2 * file_.word() <= table.size(); at += 2 * file_.word()) {
      const uint64_t tag = file_.Number(table, at, file_.word());
      const uint64_t value = file_.Number(table, at + file_.word(), file_.word());
      switch (tag) {
        case kDynNull:
          return;
        case kDynNeeded:
          needed_at_.push_back(value);
          [[fallthrough]];
        case kDynSoName:
        case kDynRPath:
        case kDynRunPath:
          last_name_ = std::max(last_name_, value);
          break;
        default:
          tags_[tag] = value;
      }
    }
    file_.Fail("its dynamic section does not end");
  }

  std::optional<uint64_t> Tag(uint64_t tag) const {
    const auto found = tags_.find(tag);
    return found == tags_.end() ? std::nullopt : std::optional<uint64_t>(found->second);
  }

  // Tables of which the dynamic section tells address and size.
  void CheckTables() const {
    const uint64_t word = file_.word();
    const uint64_t rela = 3 * word, rel = 2 * word;
    CheckTable(kDynRela, kDynRelaSize, rela, kDynRelaEntry, kDynRelaCount);
    CheckTable(kDynRel, kDynRelSize, rel, kDynRelEntry, kDynRelCount);
    CheckTable(kDynRelr, kDynRelrSize, word, kDynRelrEntry);
    CheckTable(kDynInitArray, kDynInitArraySize, word);
    CheckTable(kDynFiniArray, kDynFiniArraySize, word);
    const uint64_t kind = Tag(kDynPltRel).value_or(Tag(kDynRel) ? kDynRel : kDynRela);
    if ((kind != kDynRela && kind != kDynRel) ||
        Tag(kind == kDynRela ? kDynRel : kDynRela).has_value()) {
      file_.Fail("its relocations are of two kinds");
    }
    CheckTable(kDynJmpRel, kDynPltRelSize, kind == kDynRela ? rela : rel);
  }

  void CheckTable(uint64_t address_tag, uint64_t size_tag, uint64_t entry_bytes,
                  uint64_t entry_tag = kDynNull, uint64_t count_tag = kDynNull) const {
    const auto address = Tag(address_tag);
    const uint64_t size = Tag(size_tag).value_or(0);
    if (!address) {
      if (size != 0) file_.Fail("its dynamic section has the size of a table that is not there");
      return;
    }
    if (size % entry_bytes != 0 ||
        (entry_tag != kDynNull && Tag(entry_tag).value_or(0) != entry_bytes)) {
      file_.Fail("the entries of a table of the dynamic section have the wrong size");
    }
    if (size == 0) return;
    const uint64_t offset = file_.Locate(*address, size, kTable).offset;
    file_.RequireSections(*address, *address + size, kTable);
    const uint64_t count = count_tag == kDynNull ? 0 : Tag(count_tag).value_or(0);
    if (count > size / entry_bytes) file_.Fail("it counts more relocations than it has");
    CheckSameKind(offset, count, entry_bytes);
  }

  // Those that are counted are applied without a look at their kind.
  void CheckSameKind(uint64_t offset, uint64_t count, uint64_t entry_bytes) const {
    const std::string table = file_.Read(offset, count * entry_bytes, kTable);
    const uint64_t mask = file_.is64() ? 0xffffffff : 0xff;
    uint64_t first = 0;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t kind =
          file_.Number(table, i * entry_bytes + file_.word(), file_.word()) & mask;
      if (i == 0) first = kind;
      if (kind != first) file_.Fail("it counts relocations of several kinds as relative");
    }
  }

  void CheckStartAndEnd() const {
    if (const auto code = Tag(kDynInit)) file_.RequireCode(*code, "its start-up code");
    if (const auto code = Tag(kDynFini)) file_.RequireCode(*code, "its shut-down code");
  }

  void ReadNames() {
    constexpr char kWhat[] = "the dynamic string table";
    const auto strings = Tag(kDynStrTab);
    const uint64_t size = Tag(kDynStrSize).value_or(0);
    if (!strings || !Tag(kDynSymTab)) file_.Fail("its dynamic section names no symbol table");
    out_->names_ = file_.ReadAt(*strings, size, kWhat);
    if (out_->names_.empty() || out_->names_.back() != '\0') {
      file_.Fail("its dynamic string table does not end with NUL");
    }
    file_.RequireSections(*strings, *strings + size, kWhat);
    if (last_name_ >= size) file_.Fail("the name of a library lies outside the string table");
    for (const char* spelling : {"$ORIGIN", "${ORIGIN}"}) {
      if (out_->names_.find(spelling) != std::string::npos) out_->needs_origin_ = true;
    }
  }

  size_t symbol_bytes() const { return file_.is64() ? 24 : 16; }

  uint64_t CountSymbols() const {
    if (Tag(kDynSymEntry).value_or(symbol_bytes()) != symbol_bytes()) {
      file_.Fail("its dynamic symbols have the wrong size");
    }
    std::optional<uint64_t> count;
    if (const auto hash = Tag(kDynHash)) count = CountByHash(*hash);
    if (const auto hash = Tag(kDynGnuHash)) {
      const auto defined = CountByGnuHash(*hash);
      if (count && defined && *count != *defined) file_.Fail("its hash tables differ");
      if (!count) count = defined;
    }
    const uint64_t by_section = file_.symbols_size() / symbol_bytes();
    if (count && file_.symbols_at() != 0 && *count != by_section) {
      file_.Fail("its symbol hash table is not as long as its symbol table");
    }
    return count.value_or(by_section);
  }

  uint64_t CountByHash(uint64_t address) const {
    constexpr char kWhat[] = "the symbol hash table";
    const std::string head = file_.ReadAt(address, 8, kWhat);
    const uint64_t num_buckets = file_.Number(head, 0, 4);
    const uint64_t num_symbols = file_.Number(head, 4, 4);
    file_.Locate(address, 8 + 4 * (num_buckets + num_symbols), kWhat);
    return num_symbols;
  }

  // The table says where the chains begin, and the last chain where the symbols end. Nothing when
  // no symbol is defined.
  std::optional<uint64_t> CountByGnuHash(uint64_t address) const {
    constexpr char kWhat[] = "the GNU symbol hash table";
    const std::string head = file_.ReadAt(address, 16, kWhat);
    const uint64_t num_buckets = file_.Number(head, 0, 4);
    const uint64_t first_hashed = file_.Number(head, 4, 4);
    const uint64_t filter_words = file_.Number(head, 8, 4);
    if (filter_words == 0 || (filter_words & (filter_words - 1)) != 0) {
      file_.Fail("the filter of its GNU symbol hash table is no power of two");
    }
    const uint64_t buckets = address + 16 + filter_words * file_.word();
    const std::string table = file_.ReadAt(buckets, 4 * num_buckets, kWhat);
    uint64_t last = 0;
    for (uint64_t i = 0; i < num_buckets; ++i) {
      const uint64_t first = file_.Number(table, 4 * i, 4);
      if (first != 0 && first < first_hashed) file_.Fail("its GNU symbol hash table is wrong");
      last = std::max(last, first);
    }
    if (last == 0) return std::nullopt;
    const uint64_t links_at = buckets + 4 * num_buckets;
    const ElfFile::Place place = file_.Locate(links_at + 4 * (last - first_hashed), 4, kWhat);
    const uint64_t end = FindEndOfChain(place, last);
    file_.RequireSections(address, links_at + 4 * (end - first_hashed), kWhat);
    return end;
  }

  uint64_t FindEndOfChain(ElfFile::Place place, uint64_t symbol) const {
    while (place.room >= 4) {
      const uint64_t size = std::min<uint64_t>(place.room, 4096) / 4 * 4;
      const std::string links = file_.Read(place.offset, size, "the GNU symbol hash table");
      for (uint64_t at = 0; at < size; at += 4) {
        ++symbol;
        if (file_.Number(links, at, 4) & 1) return symbol;
      }
      place.offset += size;
      place.room -= size;
    }
    file_.Fail("its GNU symbol hash table does not end");
  }

  void ReadSymbols(uint64_t offset, uint64_t count) {
    enum : unsigned { kLocal = 0, kWeak = 2, kObject = 1, kFunc = 2, kIndirect = 10 };
    const size_t size = symbol_bytes();
    const std::string table = file_.Read(offset, count * size, "the dynamic symbol table");
    const std::string_view names = out_->names_;
    out_->symbols_.reserve(count);
    for (uint64_t i = 1; i < count; ++i) {
      const std::string_view entry = std::string_view(table).substr(i * size, size);
      const uint64_t name_at = file_.Number(entry, 0, 4);
      const unsigned info = static_cast<uint8_t>(entry[file_.is64() ? 4 : 12]);
      const unsigned type = info & 15;
      if (name_at >= names.size()) file_.Fail("a symbol's name lies outside the string table");
      if (info >> 4 == kLocal) continue;
      ElfSymbol symbol{};
      symbol.name = names.data() + name_at;  // the table ends with NUL
      symbol.defined = file_.Number(entry, file_.is64() ? 6 : 14, 2) != 0;
      symbol.weak = info >> 4 == kWeak;
      symbol.function = type == kFunc || type == kIndirect;
      symbol.object = type == kObject;
      out_->symbols_.push_back(symbol);
      if (symbol.defined && std::strcmp(symbol.name, "__tvm_ffi__library_bin") == 0) {
        ReadLibraryBin(file_.Number(entry, file_.is64() ? 8 : 4, file_.word()));
      }
    }
  }

  void ReadLibraryBin(uint64_t address) {
    constexpr char kWhat[] = "the embedded modules";
    if (!out_->library_bin_.empty()) file_.Fail("it has embedded modules twice");
    const uint64_t size = file_.Number(file_.ReadAt(address, 8, kWhat), 0, 8);
    if (size > file_.size()) file_.Fail("the embedded modules are larger than the file");
    const uint64_t offset = file_.Locate(address, 8 + size, kWhat).offset + 8;
    const std::string modules = OutlineModules(file_, offset, size);
    const uint64_t outline_size = modules.size();
    out_->library_bin_.assign(reinterpret_cast<const char*>(&outline_size), sizeof(outline_size));
    out_->library_bin_ += modules;
  }

  ElfFile file_;
  ElfSymbols* out_;
  std::unordered_map<uint64_t, uint64_t> tags_;
  std::vector<uint64_t> needed_at_;  // names of libraries
  uint64_t last_name_ = 0;           // the last place where a name of a library begins
};

FileKind KindOfFile(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return FileKind::kUnreadable;
  unsigned char magic[4] = {};
  const size_t size = std::fread(magic, 1, sizeof(magic), file.get());
  if (std::ferror(file.get())) return FileKind::kUnreadable;
  if (size == 4 && std::memcmp(magic, "\177ELF", 4) == 0) return FileKind::kElf;
  if (size >= 2 && std::memcmp(magic, "MZ", 2) == 0) return FileKind::kPortableExecutable;
  const uint32_t number =
      static_cast<uint32_t>(magic[0]) << 24 | magic[1] << 16 | magic[2] << 8 | magic[3];
  for (uint32_t mach : {0xFEEDFACEu, 0xFEEDFACFu, 0xCEFAEDFEu, 0xCFFAEDFEu, 0xCAFEBABEu}) {
    if (number == mach) return FileKind::kMachO;
  }
  return FileKind::kOther;
}

ElfSymbols::ElfSymbols(const std::string& source, const std::string& path) {
  ElfReader(source, path, this).Read();
}

const ElfSymbol* ElfSymbols::Find(const char* name) const {
  const ElfSymbol* undefined = nullptr;
  for (const ElfSymbol& symbol : symbols_) {
    if (std::strcmp(symbol.name, name) != 0) continue;
    if (symbol.defined) return &symbol;
    undefined = &symbol;
  }
  return undefined;
}

}  // namespace tvmgo
