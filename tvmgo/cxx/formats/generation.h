// SPDX-License-Identifier: Apache-2.0
//
// Which calling convention a compiled library speaks. It has to be known before the library is
// opened: calling a function by the wrong convention crashes.
#ifndef TVMGO_CXX_FORMATS_GENERATION_H_
#define TVMGO_CXX_FORMATS_GENERATION_H_

#include "formats/elf_symbols.h"

namespace tvmgo {

enum class Generation {
  kModern,        // TVM 0.22 and later, or a plug-in of the runtime
  kTransitional,  // TVM 0.21: today's convention under unprefixed names
  kClassic,       // TVM 0.2 to 0.20
  kUndecided,     // no marker: a simple library of the `c` target, or one built without assertions
};

// "modern", "transitional", "classic", "undecided".
const char* GenerationName(Generation generation);

Generation GenerationOf(const ElfSymbols& elf);

// Whether a library of no known convention is one of those for the ahead-of-time executor or
// microTVM whose functions take bare pointers.
bool IsAheadOfTime(const ElfSymbols& elf);

// Whether an undecided library has anything to call.
bool ExportsFunctions(const ElfSymbols& elf);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_GENERATION_H_
