// SPDX-License-Identifier: Apache-2.0
//
// The headers of a shared library: what the system's loader would map where. The file is not
// trusted, but the loader trusts it and dies of what does not fit together, so all of that is
// refused here: anything outside the file or outside its segments, segments that overlap, and
// section headers, which the loader ignores, that tell another story.
#ifndef TVMGO_CXX_FORMATS_ELF_FILE_H_
#define TVMGO_CXX_FORMATS_ELF_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/file_bytes.h"

namespace tvmgo {

class ElfFile {
 public:
  // Throws ValueError, beginning with the path, when the file is cut short or contradicts itself.
  // Files for other machines are read as well, 32 or 64 bits, either byte order. The bytes are
  // those at `source`.
  ElfFile(const std::string& source, const std::string& path);

  // Empty, or why this machine cannot run the file; see ElfSymbols.
  std::string DescribeForeign() const;

  bool is64() const { return is64_; }
  size_t word() const { return is64_ ? 8 : 4; }
  uint64_t size() const { return file_.size(); }

  // A number of `size` bytes in the file's byte order. The caller has read enough bytes.
  uint64_t Number(std::string_view bytes, size_t offset, size_t size) const;

  std::string Read(uint64_t offset, uint64_t size, const char* what) const {
    return file_.Read(offset, size, what);
  }
  [[noreturn]] void Fail(const std::string& problem) const { file_.Fail(problem); }

  // Where in the file something lies that the loader maps to an address, and how much of the
  // segment follows that place. Fails when not all of it is inside one segment.
  struct Place {
    uint64_t offset, room;
  };
  Place Locate(uint64_t address, uint64_t size, const char* what) const;
  // The bytes there.
  std::string ReadAt(uint64_t address, uint64_t size, const char* what) const {
    return Read(Locate(address, size, what).offset, size, what);
  }

  // Fails unless the address is one of code.
  void RequireCode(uint64_t address, const char* what) const;
  // Fails when there are section headers and none begins, or none ends, where a table does.
  void RequireSections(uint64_t begin, uint64_t end, const char* what) const;

  // The dynamic section, empty if there is none.
  const std::string& dynamic() const { return dynamic_; }

  // Where the section of dynamic symbols lies in the file, and its size; 0 if it is not known.
  uint64_t symbols_at() const { return symbols_at_; }
  uint64_t symbols_size() const { return symbols_size_; }

 private:
  struct Segment {
    uint64_t offset, address, file_size, memory_size;
    bool executable;
  };
  struct Section {
    uint64_t begin, end;
  };

  uint64_t Word(std::string_view bytes, size_t offset32, size_t offset64) const {
    return Number(bytes, is64_ ? offset64 : offset32, word());
  }
  void ReadHeader();
  void ReadSegments();
  void AddLoad(const Segment& segment);
  void RequireMapped(const Segment& segment) const;
  void RequireInMemory(const Segment& segment) const;
  // The loaded segment that the address lies in, or ends, or null.
  const Segment* FindLoad(uint64_t address) const;
  void ReadSections();
  void AddSection(std::string_view header);

  FileBytes file_;
  bool is64_ = false;
  bool big_ = false;
  uint32_t machine_ = 0;
  uint64_t segment_table_at_ = 0, segment_bytes_ = 0, num_segments_ = 0;
  uint64_t section_table_at_ = 0, section_bytes_ = 0, num_sections_ = 0;
  std::vector<Segment> loads_;     // by address, apart from each other
  std::vector<Section> sections_;  // those with an address
  std::string dynamic_;
  uint64_t symbols_at_ = 0, symbols_size_ = 0;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_ELF_FILE_H_
