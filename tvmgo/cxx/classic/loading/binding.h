// SPDX-License-Identifier: Apache-2.0
//
// What a classic library needs of us, and how it gets it. Needs are read from the file before it is
// opened, so that what cannot be served is an error with a reason and never a crash.
#ifndef TVMGO_CXX_CLASSIC_LOADING_BINDING_H_
#define TVMGO_CXX_CLASSIC_LOADING_BINDING_H_

#include <string>

#include "classic/loading/library.h"
#include "formats/elf_symbols.h"

namespace tvmgo::classic {

// Throws RuntimeError, beginning with the path, when the library needs a service that is not
// loaded. Loads what it can: libraries of the `c` target import the services by their C names, and
// those which libtvm_runtime no longer has are exported by a library of their own, loaded for the
// first of them.
void PrepareServices(const ElfSymbols& elf, const std::string& path);

// The latter in advance, for libraries that others open, unless others export such names.
void ExportServices();

// Called when the system could not open the library: throws RuntimeError with the reason when that
// is something of an old TVM that no longer exists, and returns otherwise.
void ThrowIfObsolete(const ElfSymbols& elf, const std::string& path);

// Stores the services into the library's variables and imports, and `context` into
// `__tvm_module_ctx`.
void BindServices(const Library& library, void* context);

// Gives a library of today, which is open under that name, its own variables where it has found
// those of a library that was opened for all; BindServices does so for classic ones.
void ReclaimVariables(const ElfSymbols& elf, const std::string& name);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_BINDING_H_
