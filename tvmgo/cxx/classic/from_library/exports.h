// SPDX-License-Identifier: Apache-2.0
//
// The classic C names, for libraries that import them instead of having variables. They live in a
// shared object of their own beside this one, the only thing here that other libraries can see.
#ifndef TVMGO_CXX_CLASSIC_FROM_LIBRARY_EXPORTS_H_
#define TVMGO_CXX_CLASSIC_FROM_LIBRARY_EXPORTS_H_

namespace tvmgo::classic {

// Makes the names visible to every library opened from now on. Throws RuntimeError when the shared
// object is missing.
void LoadExports();

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_FROM_LIBRARY_EXPORTS_H_
