// SPDX-License-Identifier: Apache-2.0
//
// Where something stands in a text, as an error message shows it. The text may hold anything.
#ifndef TVMGO_CXX_FORMATS_TEXT_PLACE_H_
#define TVMGO_CXX_FORMATS_TEXT_PLACE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace tvmgo {

// The text without what is no printable UTF-8.
std::string Printable(std::string_view text);

// Some text on both sides of a byte, on one line however the text is broken:
//
//   line 1, column 17:
//     {"nodes": [1, 2,, 3]}
//                     ^
//
// Columns count characters.
std::string ShowPlace(std::string_view text, size_t offset);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_TEXT_PLACE_H_
