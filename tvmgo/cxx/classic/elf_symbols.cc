// SPDX-License-Identifier: Apache-2.0
//
// See elf_symbols.h. Follows what the system's loader follows, the program headers and the dynamic
// section; the section headers, which it ignores, only help to count symbols. Every number of the
// file is checked before use: offset and size must lie in the file, addresses in a segment.
#include "elf_symbols.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <string_view>

#include "file_bytes.h"

namespace tvmgo::classic {
namespace {

constexpr size_t kIdentBytes = 16;

std::string MachineName(uint32_t machine) {
  switch (machine) {
    case 3: return "i386";
    case 8: return "MIPS";
    case 20: return "PowerPC";
    case 21: return "PowerPC64";
    case 22: return "S390";
    case 40: return "ARM";
    case 62: return "x86-64";
    case 164: return "Hexagon";
    case 183: return "AArch64";
    case 243: return "RISC-V";
    case 258: return "LoongArch";
    default: return "machine number " + std::to_string(machine);
  }
}

// The machine this code was compiled for, in ELF's numbers.
constexpr uint32_t kOwnMachine =
#if defined(__x86_64__)
    62;
#elif defined(__aarch64__)
    183;
#elif defined(__i386__)
    3;
#elif defined(__arm__)
    40;
#elif defined(__riscv)
    243;
#elif defined(__powerpc64__)
    21;
#elif defined(__s390__)
    22;
#elif defined(__loongarch__)
    258;
#else
    0;
#endif
constexpr bool kOwn64 = sizeof(void*) == 8;
constexpr bool kOwnBig = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

std::string DescribeMachine(uint32_t machine, bool is64, bool big) {
  std::ostringstream text;
  text << MachineName(machine) << " (" << (is64 ? 64 : 32) << " bits, "
       << (big ? "big" : "little") << "-endian)";
  return text.str();
}

enum : uint32_t { kTypeShared = 3, kSegmentLoad = 1, kSegmentDynamic = 2, kSectionDynSym = 11 };

enum : uint64_t {
  kDynNull = 0,
  kDynPltRelSize = 2,
  kDynHash = 4,
  kDynStrTab = 5,
  kDynSymTab = 6,
  kDynRela = 7,
  kDynRelaSize = 8,
  kDynStrSize = 10,
  kDynSymEntry = 11,
  kDynRel = 17,
  kDynRelSize = 18,
  kDynJmpRel = 23,
  kDynInitArray = 25,
  kDynFiniArray = 26,
  kDynInitArraySize = 27,
  kDynFiniArraySize = 28,
  kDynGnuHash = 0x6ffffef5,
};

struct Segment {
  uint64_t offset;
  uint64_t address;
  uint64_t file_size;
};

}  // namespace

class ElfReader {
 public:
  ElfReader(const std::string& path, ElfSymbols* out) : file_(path), out_(out) {}

  void Read() {
    ReadHeader();
    ReadSegments();
    ReadSections();
    if (has_dynamic_) ReadDynamic();
  }

 private:
  // A number of `size` bytes in the file's byte order. The caller has read enough bytes.
  uint64_t Number(std::string_view bytes, size_t offset, size_t size) const {
    uint64_t number = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t at = big_ ? i : size - 1 - i;
      number = number << 8 | static_cast<uint8_t>(bytes[offset + at]);
    }
    return number;
  }
  // A field whose place and width depend on the class of the file.
  uint64_t Word(std::string_view bytes, size_t offset32, size_t offset64) const {
    return Number(bytes, is64_ ? offset64 : offset32, word());
  }
  size_t word() const { return is64_ ? 8 : 4; }

  void ReadHeader() {
    const std::string ident = file_.Read(0, kIdentBytes, "the ELF header");
    const uint8_t file_class = ident[4];
    const uint8_t order = ident[5];
    if (file_class != 1 && file_class != 2) file_.Fail("its ELF class is neither 32 nor 64 bits");
    if (order != 1 && order != 2) file_.Fail("its byte order is neither little nor big");
    is64_ = file_class == 2;
    big_ = order == 2;
    const std::string header = file_.Read(0, is64_ ? 64 : 52, "the ELF header");
    const auto machine = static_cast<uint32_t>(Number(header, 18, 2));
    if (machine != kOwnMachine || is64_ != kOwn64 || big_ != kOwnBig) {
      out_->foreign_ = "it was built for " + DescribeMachine(machine, is64_, big_) +
                       ", and this process is " + DescribeMachine(kOwnMachine, kOwn64, kOwnBig);
    }
    if (Number(header, 16, 2) != kTypeShared) file_.Fail("it is not a shared library");
    if (Number(header, 20, 4) != 1) file_.Fail("its ELF version is not 1");
    segments_at_ = Word(header, 28, 32);
    sections_at_ = Word(header, 32, 40);
    const size_t counts = is64_ ? 54 : 42;
    segment_bytes_ = Number(header, counts, 2);
    num_segments_ = Number(header, counts + 2, 2);
    section_bytes_ = Number(header, counts + 4, 2);
    num_sections_ = Number(header, counts + 6, 2);
  }

  void ReadSegments() {
    const size_t expected = is64_ ? 56 : 32;
    if (num_segments_ == 0) file_.Fail("it has no segments");
    if (segment_bytes_ != expected) file_.Fail("its program headers have the wrong size");
    const std::string table =
        file_.Read(segments_at_, num_segments_ * expected, "the program headers");
    for (size_t i = 0; i < num_segments_; ++i) {
      const std::string_view entry = std::string_view(table).substr(i * expected, expected);
      const uint64_t type = Number(entry, 0, 4);
      const Segment segment{Word(entry, 4, 8), Word(entry, 8, 16), Word(entry, 16, 32)};
      if (type != kSegmentLoad && type != kSegmentDynamic) continue;
      // Mapping a segment that the file does not have is a SIGBUS later.
      if (!file_.Has(segment.offset, segment.file_size)) {
        file_.Fail("a segment reaches beyond the end of the file, which was cut short");
      }
      if (segment.address + segment.file_size < segment.address) {
        file_.Fail("a segment reaches beyond the end of memory");
      }
      if (type == kSegmentLoad) {
        if (segment.file_size > Word(entry, 20, 40)) {
          file_.Fail("a segment is larger in the file than in memory");
        }
        loads_.push_back(segment);
      } else {
        dynamic_ = segment;
        has_dynamic_ = true;
      }
    }
  }

  // The section headers normally end the file, so that one cut short anywhere shows here.
  void ReadSections() {
    if (sections_at_ == 0 || num_sections_ == 0) return;
    const size_t expected = is64_ ? 64 : 40;
    if (section_bytes_ != expected) file_.Fail("its section headers have the wrong size");
    const std::string table =
        file_.Read(sections_at_, num_sections_ * expected, "the section headers");
    for (size_t i = 0; i < num_sections_; ++i) {
      const std::string_view entry = std::string_view(table).substr(i * expected, expected);
      if (Number(entry, 4, 4) != kSectionDynSym) continue;
      section_symbols_at_ = Word(entry, 16, 24);
      section_num_symbols_ = Word(entry, 20, 32) / symbol_bytes();
    }
  }

  size_t symbol_bytes() const { return is64_ ? 24 : 16; }

  void ReadDynamic() {
    const std::string table =
        file_.Read(dynamic_.offset, dynamic_.file_size, "the dynamic section");
    uint64_t strings = 0, strings_size = 0, symbols = 0, hash = 0, gnu_hash = 0;
    uint64_t entry_size = symbol_bytes();
    // Tables which the system's loader walks: address and size in bytes.
    struct Table {
      uint64_t address_tag, size_tag;
      uint64_t address = 0, size = 0;
    } walked[] = {{kDynRela, kDynRelaSize},
                  {kDynRel, kDynRelSize},
                  {kDynJmpRel, kDynPltRelSize},
                  {kDynInitArray, kDynInitArraySize},
                  {kDynFiniArray, kDynFiniArraySize}};
    for (size_t at = 0; at + 2 * word() <= table.size(); at += 2 * word()) {
      const uint64_t tag = Number(table, at, word());
      const uint64_t value = Number(table, at + word(), word());
      if (tag == kDynNull) break;
      if (tag == kDynStrTab) strings = value;
      if (tag == kDynStrSize) strings_size = value;
      if (tag == kDynSymTab) symbols = value;
      if (tag == kDynSymEntry) entry_size = value;
      if (tag == kDynHash) hash = value;
      if (tag == kDynGnuHash) gnu_hash = value;
      for (Table& entry : walked) {
        if (tag == entry.address_tag) entry.address = value;
        if (tag == entry.size_tag) entry.size = value;
      }
    }
    for (const Table& entry : walked) {
      if (entry.size != 0) OffsetOf(entry.address, entry.size, "a table of the dynamic section");
    }
    if (symbols == 0 || strings == 0) file_.Fail("its dynamic section names no symbol table");
    if (entry_size != symbol_bytes()) file_.Fail("its dynamic symbols have the wrong size");
    out_->names_ = file_.Read(OffsetOf(strings, strings_size, "the dynamic string table"),
                              strings_size, "the dynamic string table");
    if (out_->names_.empty() || out_->names_.back() != '\0') {
      file_.Fail("its dynamic string table does not end with NUL");
    }
    const uint64_t symbols_at = OffsetOf(symbols, 0, "the dynamic symbol table");
    uint64_t count = 0;
    if (hash != 0) count = CountByHash(hash);
    if (gnu_hash != 0) count = std::max(count, CountByGnuHash(gnu_hash));
    if (section_symbols_at_ == symbols_at) count = std::max(count, section_num_symbols_);
    // So that the size of the table cannot overflow.
    if (count > file_.size()) file_.Fail("its dynamic symbol table is larger than the file");
    ReadSymbols(symbols_at, count);
  }

  // Where in the file something lies that the loader maps to an address, and how much follows it.
  struct Place {
    uint64_t offset, room;
  };

  Place Locate(uint64_t address, uint64_t size, const char* what) const {
    for (const Segment& segment : loads_) {
      if (address < segment.address) continue;
      const uint64_t inside = address - segment.address;
      if (inside <= segment.file_size && size <= segment.file_size - inside) {
        return {segment.offset + inside, segment.file_size - inside};
      }
    }
    file_.Fail(std::string(what) + " lies outside all segments");
  }

  uint64_t OffsetOf(uint64_t address, uint64_t size, const char* what) const {
    return Locate(address, size, what).offset;
  }

  uint64_t CountByHash(uint64_t address) const {
    const std::string head = file_.Read(OffsetOf(address, 8, "the symbol hash table"), 8,
                                        "the symbol hash table");
    const uint64_t num_buckets = Number(head, 0, 4);
    const uint64_t num_symbols = Number(head, 4, 4);
    OffsetOf(address, 8 + 4 * (num_buckets + num_symbols), "the symbol hash table");
    return num_symbols;
  }

  // The table says where the chains begin, and the last chain where the symbols end.
  uint64_t CountByGnuHash(uint64_t address) const {
    constexpr char kWhat[] = "the GNU symbol hash table";
    const std::string head = file_.Read(OffsetOf(address, 16, kWhat), 16, kWhat);
    const uint64_t num_buckets = Number(head, 0, 4);
    const uint64_t first_hashed = Number(head, 4, 4);
    const uint64_t buckets = address + 16 + Number(head, 8, 4) * word();
    const uint64_t buckets_at = OffsetOf(buckets, 4 * num_buckets, kWhat);
    const std::string table = file_.Read(buckets_at, 4 * num_buckets, kWhat);
    uint64_t last = 0;
    for (uint64_t i = 0; i < num_buckets; ++i) last = std::max(last, Number(table, 4 * i, 4));
    if (last < first_hashed) return first_hashed;  // nothing is defined
    Place place = Locate(buckets + 4 * num_buckets + 4 * (last - first_hashed), 4, kWhat);
    while (place.room >= 4) {
      const uint64_t size = std::min<uint64_t>(place.room, 4096) / 4 * 4;
      const std::string links = file_.Read(place.offset, size, kWhat);
      for (uint64_t at = 0; at < size; at += 4) {
        ++last;
        if (Number(links, at, 4) & 1) return last;
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
      const uint64_t name_at = Number(entry, 0, 4);
      const unsigned info = static_cast<uint8_t>(entry[is64_ ? 4 : 12]);
      const unsigned type = info & 15;
      if (name_at >= names.size()) file_.Fail("a symbol's name lies outside the string table");
      if (info >> 4 == kLocal) continue;
      ElfSymbol symbol{};
      symbol.name = names.data() + name_at;  // the table ends with NUL
      symbol.defined = Number(entry, is64_ ? 6 : 14, 2) != 0;
      symbol.weak = info >> 4 == kWeak;
      symbol.function = type == kFunc || type == kIndirect;
      symbol.object = type == kObject;
      out_->symbols_.push_back(symbol);
    }
  }

  FileBytes file_;
  ElfSymbols* out_;
  bool is64_ = false;
  bool big_ = false;
  uint64_t segments_at_ = 0, segment_bytes_ = 0, num_segments_ = 0;
  uint64_t sections_at_ = 0, section_bytes_ = 0, num_sections_ = 0;
  uint64_t section_symbols_at_ = 0, section_num_symbols_ = 0;
  std::vector<Segment> loads_;
  Segment dynamic_{};
  bool has_dynamic_ = false;
};

FileKind KindOfFile(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return FileKind::kUnreadable;
  unsigned char magic[4] = {};
  const size_t size = std::fread(magic, 1, sizeof(magic), file.get());
  if (std::ferror(file.get())) return FileKind::kUnreadable;
  if (size == 4 && std::memcmp(magic, "\177ELF", 4) == 0) return FileKind::kElf;
  if (size >= 2 && std::memcmp(magic, "MZ", 2) == 0) return FileKind::kPortableExecutable;
  const uint32_t number = static_cast<uint32_t>(magic[0]) << 24 | magic[1] << 16 | magic[2] << 8 |
                          magic[3];
  for (uint32_t mach : {0xFEEDFACEu, 0xFEEDFACFu, 0xCEFAEDFEu, 0xCFFAEDFEu, 0xCAFEBABEu}) {
    if (number == mach) return FileKind::kMachO;
  }
  return FileKind::kOther;
}

ElfSymbols::ElfSymbols(const std::string& path) { ElfReader(path, this).Read(); }

const ElfSymbol* ElfSymbols::Find(const char* name) const {
  const ElfSymbol* undefined = nullptr;
  for (const ElfSymbol& symbol : symbols_) {
    if (std::strcmp(symbol.name, name) != 0) continue;
    if (symbol.defined) return &symbol;
    undefined = &symbol;
  }
  return undefined;
}

}  // namespace tvmgo::classic
