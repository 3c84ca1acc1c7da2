// SPDX-License-Identifier: Apache-2.0
//
// The modules embedded in a library of today without what they wrote, which may be gigabytes of
// parameters: their kinds and how they import each other, read from the file piece by piece.
#ifndef TVMGO_CXX_FORMATS_MODULE_OUTLINE_H_
#define TVMGO_CXX_FORMATS_MODULE_OUTLINE_H_

#include <cstdint>
#include <string>

#include "formats/elf_file.h"

namespace tvmgo {

// The `size` bytes at `offset`, in the layout that module_blob.cc describes, with each payload
// replaced by an empty one. Where they are not in that layout the answer ends with the first thing
// that does not fit, for the parser to find.
std::string OutlineModules(const ElfFile& file, uint64_t offset, uint64_t size);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_MODULE_OUTLINE_H_
