// SPDX-License-Identifier: Apache-2.0
//
// What to tell somebody who asked for a name that is not there.
#ifndef TVMGO_CXX_FFI_NEAR_NAMES_H_
#define TVMGO_CXX_FFI_NEAR_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

namespace tvmgo {

// The end of a message: the names that are nearly the one asked for, and all there are, the first
// of them if they are many:
//
//   ; did you mean 'input0'? There are 'input0', 'input1', 'p0' and 107 more
std::string NamesThereAre(std::string_view asked, const std::vector<std::string_view>& names);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_NEAR_NAMES_H_
