// SPDX-License-Identifier: Apache-2.0
//
// What a shared library says about itself, read from the file before anything of it runs: whether
// the system's loader could map it at all, and the names it defines and needs. The file is not
// trusted. Only the tables named here are read, never more bytes than the file has.
#ifndef TVMGO_CXX_FORMATS_ELF_SYMBOLS_H_
#define TVMGO_CXX_FORMATS_ELF_SYMBOLS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tvmgo {

enum class FileKind {
  kUnreadable,  // missing, a folder, not permitted
  kElf,
  kMachO,
  kPortableExecutable,
  kOther,  // too short for a header, or text, or anything else
};

// By the first bytes of the file.
FileKind KindOfFile(const std::string& path);

struct ElfSymbol {
  // Ends with NUL. Never measured, only compared: a hostile file could let all names overlap.
  const char* name;
  bool defined;
  bool weak;
  bool function;  // STT_FUNC or STT_GNU_IFUNC
  bool object;    // STT_OBJECT
};

class ElfSymbols {
 public:
  // Throws ValueError, beginning with the path, when the file is cut short or contradicts itself.
  // Files for other machines are read as well, 32 or 64 bits, either byte order.
  explicit ElfSymbols(const std::string& path) : ElfSymbols(path, path) {}
  // The same of a copy of the file, which lies at `source`.
  ElfSymbols(const std::string& source, const std::string& path);
  ElfSymbols(const ElfSymbols&) = delete;

  // Empty, or why this machine cannot run the file, as in "it was built for AArch64 (64 bits,
  // little-endian), and this process is x86-64 (64 bits, little-endian)".
  const std::string& foreign() const { return foreign_; }

  // The dynamic symbols, local ones left out.
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }

  // The modules embedded in a library of today, from their length on, as if what each of them
  // wrote, its parameters above all, were empty; nothing if there are none.
  const std::string& library_bin() const { return library_bin_; }

  // Whether it may look for other files from the folder on in which it lies (`$ORIGIN`).
  bool needs_origin() const { return needs_origin_; }

  // The symbol of that name, defined rather than undefined, or null.
  const ElfSymbol* Find(const char* name) const;

 private:
  friend class ElfReader;

  std::string names_;
  std::string library_bin_;
  std::vector<ElfSymbol> symbols_;
  std::string foreign_;
  bool needs_origin_ = false;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_ELF_SYMBOLS_H_
