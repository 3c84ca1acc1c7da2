// SPDX-License-Identifier: Apache-2.0
//
// Offset and size of everything must lie in the file, addresses in a segment.
#include "formats/elf_file.h"

#include <algorithm>
#include <sstream>

namespace tvmgo {
namespace {

constexpr size_t kIdentBytes = 16;

std::string MachineName(uint32_t machine) {
  switch (machine) {
    case 3:
      return "i386";
    case 8:
      return "MIPS";
    case 20:
      return "PowerPC";
    case 21:
      return "PowerPC64";
    case 22:
      return "S390";
    case 40:
      return "ARM";
    case 62:
      return "x86-64";
    case 164:
      return "Hexagon";
    case 183:
      return "AArch64";
    case 243:
      return "RISC-V";
    case 258:
      return "LoongArch";
    default:
      return "machine number " + std::to_string(machine);
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
  text << MachineName(machine) << " (" << (is64 ? 64 : 32) << " bits, " << (big ? "big" : "little")
       << "-endian)";
  return text.str();
}

// The granularity of memory protection; other machines have several, of which this is the largest.
constexpr uint64_t kPageBytes = kOwnMachine == 62 ? 4096 : 65536;

enum : uint32_t { kTypeShared = 3, kExecutable = 1 };
enum : uint32_t {
  kSegmentLoad = 1,
  kSegmentDynamic = 2,
  kSegmentNote = 4,
  kSegmentHeaders = 6,
  kSegmentTLS = 7,
  kSegmentUnwind = 0x6474e550,
  kSegmentReadOnly = 0x6474e552,
  kSegmentProperty = 0x6474e553,
};
enum : uint32_t { kSectionNone = 0, kSectionNoBits = 8, kSectionDynSym = 11 };
enum : uint64_t { kSectionAllocated = 2, kSectionTLS = 0x400 };

}  // namespace

ElfFile::ElfFile(const std::string& source, const std::string& path) : file_(source, path) {
  ReadHeader();
  ReadSegments();
  ReadSections();
}

uint64_t ElfFile::Number(std::string_view bytes, size_t offset, size_t size) const {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) {
    const size_t at = big_ ? i : size - 1 - i;
    number = number << 8 | static_cast<uint8_t>(bytes[offset + at]);
  }
  return number;
}

void ElfFile::ReadHeader() {
  const std::string ident = Read(0, kIdentBytes, "the ELF header");
  const uint8_t file_class = ident[4];
  const uint8_t order = ident[5];
  if (file_class != 1 && file_class != 2) Fail("its ELF class is neither 32 nor 64 bits");
  if (order != 1 && order != 2) Fail("its byte order is neither little nor big");
  is64_ = file_class == 2;
  big_ = order == 2;
  const std::string header = Read(0, is64_ ? 64 : 52, "the ELF header");
  machine_ = static_cast<uint32_t>(Number(header, 18, 2));
  if (Number(header, 16, 2) != kTypeShared) Fail("it is not a shared library");
  if (Number(header, 20, 4) != 1) Fail("its ELF version is not 1");
  segment_table_at_ = Word(header, 28, 32);
  section_table_at_ = Word(header, 32, 40);
  const size_t counts = is64_ ? 52 : 40;
  if (Number(header, counts, 2) != header.size()) Fail("its ELF header has the wrong size");
  segment_bytes_ = Number(header, counts + 2, 2);
  num_segments_ = Number(header, counts + 4, 2);
  section_bytes_ = Number(header, counts + 6, 2);
  num_sections_ = Number(header, counts + 8, 2);
}

std::string ElfFile::DescribeForeign() const {
  if (machine_ == kOwnMachine && is64_ == kOwn64 && big_ == kOwnBig) return "";
  return "it was built for " + DescribeMachine(machine_, is64_, big_) + ", and this process is " +
         DescribeMachine(kOwnMachine, kOwn64, kOwnBig);
}

void ElfFile::ReadSegments() {
  const size_t expected = is64_ ? 56 : 32;
  if (num_segments_ == 0) Fail("it has no segments");
  if (segment_bytes_ != expected) Fail("its program headers have the wrong size");
  const std::string table =
      Read(segment_table_at_, num_segments_ * expected, "the program headers");
  std::vector<Segment> in_file, in_memory;
  for (size_t i = 0; i < num_segments_; ++i) {
    const std::string_view header = std::string_view(table).substr(i * expected, expected);
    const auto flags = static_cast<uint32_t>(Number(header, is64_ ? 4 : 24, 4));
    const Segment segment{Word(header, 4, 8), Word(header, 8, 16), Word(header, 16, 32),
                          Word(header, 20, 40), (flags & kExecutable) != 0};
    switch (static_cast<uint32_t>(Number(header, 0, 4))) {
      case kSegmentLoad:
        AddLoad(segment);
        break;
      case kSegmentDynamic:
        dynamic_ = Read(segment.offset, segment.file_size, "the dynamic section");
        [[fallthrough]];
      case kSegmentNote:
      case kSegmentHeaders:
      case kSegmentUnwind:
      case kSegmentProperty:
        in_memory.push_back(segment);
        [[fallthrough]];
      case kSegmentTLS:  // its memory is each thread's
        in_file.push_back(segment);
        break;
      case kSegmentReadOnly:  // no more than protected; what it says of the file, nobody uses
        in_memory.push_back(segment);
        break;
      default:
        break;
    }
  }
  for (const Segment& segment : in_file) RequireMapped(segment);
  for (const Segment& segment : in_memory) RequireInMemory(segment);
}

void ElfFile::AddLoad(const Segment& segment) {
  // Mapping a segment that the file does not have is a SIGBUS later.
  if (!file_.Has(segment.offset, segment.file_size)) {
    Fail("a segment reaches beyond the end of the file, which was cut short");
  }
  if (segment.file_size > segment.memory_size) {
    Fail("a segment is larger in the file than in memory");
  }
  const uint64_t memory_end = is64_ ? uint64_t{1} << 63 : uint64_t{1} << 32;
  if (segment.address >= memory_end || segment.memory_size >= memory_end - segment.address) {
    Fail("a segment reaches beyond the end of memory");
  }
  if (!loads_.empty() && segment.address < loads_.back().address + loads_.back().memory_size) {
    Fail("its segments overlap or are out of order");
  }
  loads_.push_back(segment);
}

// The others are parts of those that are loaded, in the file and in memory.
void ElfFile::RequireMapped(const Segment& segment) const {
  if (segment.file_size == 0) return;
  if (Locate(segment.address, segment.file_size, "a segment").offset != segment.offset) {
    Fail("a segment lies elsewhere in memory than in the file");
  }
}

void ElfFile::RequireInMemory(const Segment& segment) const {
  const Segment* load = FindLoad(segment.address);
  const uint64_t inside = load == nullptr ? 0 : segment.address - load->address;
  // Up to the end of the page, which is protected as a whole.
  if (load == nullptr || segment.memory_size > load->memory_size + kPageBytes - inside) {
    Fail("a segment lies outside those that are loaded");
  }
}

const ElfFile::Segment* ElfFile::FindLoad(uint64_t address) const {
  const auto above = std::upper_bound(
      loads_.begin(), loads_.end(), address,
      [](uint64_t value, const Segment& segment) { return value < segment.address; });
  if (above == loads_.begin()) return nullptr;
  const Segment& load = *(above - 1);
  return address - load.address <= load.memory_size ? &load : nullptr;
}

ElfFile::Place ElfFile::Locate(uint64_t address, uint64_t size, const char* what) const {
  const Segment* load = FindLoad(address);
  const uint64_t inside = load == nullptr ? 0 : address - load->address;
  if (load == nullptr || inside > load->file_size || size > load->file_size - inside) {
    Fail(std::string(what) + " lies outside all segments");
  }
  return {load->offset + inside, load->file_size - inside};
}

void ElfFile::RequireCode(uint64_t address, const char* what) const {
  const Segment* load = FindLoad(address);
  if (load == nullptr || !load->executable || address - load->address >= load->file_size) {
    Fail(std::string(what) + " is not code");
  }
}

// The section headers normally end the file, so that one cut short anywhere shows here.
void ElfFile::ReadSections() {
  if ((section_table_at_ == 0) != (num_sections_ == 0)) {
    Fail("it has section headers either without a place or without a number");
  }
  if (num_sections_ == 0) return;
  const size_t expected = is64_ ? 64 : 40;
  if (section_bytes_ != expected) Fail("its section headers have the wrong size");
  const std::string table =
      Read(section_table_at_, num_sections_ * expected, "the section headers");
  for (size_t i = 0; i < num_sections_; ++i) {
    AddSection(std::string_view(table).substr(i * expected, expected));
  }
}

void ElfFile::AddSection(std::string_view header) {
  const auto type = static_cast<uint32_t>(Number(header, 4, 4));
  const uint64_t flags = Word(header, 8, 8);
  const uint64_t address = Word(header, 12, 16);
  const uint64_t offset = Word(header, 16, 24);
  const uint64_t size = Word(header, 20, 32);
  if (type == kSectionNone || size == 0) return;
  const bool in_file = type != kSectionNoBits;
  if (in_file && !file_.Has(offset, size)) Fail("a section reaches beyond the end of the file");
  if ((flags & kSectionAllocated) == 0) return;
  if (in_file) {
    if (Locate(address, size, "a section").offset != offset) {
      Fail("a section lies elsewhere in memory than in the file");
    }
  } else if ((flags & kSectionTLS) == 0) {  // memory of threads is not a part of the image
    const Segment* load = FindLoad(address);
    if (load == nullptr || size > load->memory_size - (address - load->address)) {
      Fail("a section lies outside all segments");
    }
  }
  sections_.push_back(Section{address, address + size});
  if (type == kSectionDynSym) {
    symbols_at_ = offset;
    symbols_size_ = size;
  }
}

void ElfFile::RequireSections(uint64_t begin, uint64_t end, const char* what) const {
  if (sections_.empty()) return;
  bool begins = false, ends = false;
  for (const Section& section : sections_) {
    begins = begins || section.begin == begin;
    ends = ends || section.end == end;
  }
  if (!begins || !ends) Fail(std::string(what) + " is not what the section headers say");
}

}  // namespace tvmgo
