// SPDX-License-Identifier: Apache-2.0
//
// The folder loading: from a file of compiled code to modules. Here: from a file to a module:
// decides the generation, refuses what cannot work with the reason, opens the library and rebuilds
// the tree of modules embedded in it.
#ifndef TVMGO_CXX_CLASSIC_LOADING_LOADER_H_
#define TVMGO_CXX_CLASSIC_LOADING_LOADER_H_

#include <string>

#include "ffi/ffi.h"
#include "formats/generation.h"

namespace tvmgo::classic {

// A file to be loaded.
struct LibraryFile {
  std::string path;    // what its user calls it, which errors show
  std::string source;  // where its bytes are read
  std::string name;    // under which the system opens these very bytes
};

// The generation of a file, which is not opened as a library. Throws ValueError for files that are
// no shared libraries of ELF.
Generation LibraryGeneration(const std::string& path);

// Loads a classic library whatever its symbols say, except that one of TVM 0.21 is refused. The
// root of the embedded tree, or the library itself.
Ref LoadClassicLibrary(const LibraryFile& file);

// Loads a library with today's convention whatever its symbols say; `load_modern` (path, format) is
// the runtime's own loader, which trusts the file.
Ref LoadModernLibrary(const LibraryFile& file, const Ref& load_modern);

// Loads a library of either generation.
Ref LoadSharedLibrary(const LibraryFile& file, const Ref& load_modern);

// What libraries opened by others have registered as a "system library": a module of their
// functions, or the root of the modules they contain.
Ref LoadSystemLibrary(const std::string& prefix);
// The same with the functions of today's libraries as an import; where there are only those, the
// runtime's own module of them.
Ref LoadAnySystemLibrary(const std::string& prefix);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_LOADER_H_
