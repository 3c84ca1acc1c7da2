// SPDX-License-Identifier: Apache-2.0
//
// Where a value stands in a JSON text. Parsed values do not know; errors ask for one, once.
#ifndef TVMGO_CXX_FORMATS_JSON_PLACE_H_
#define TVMGO_CXX_FORMATS_JSON_PLACE_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace tvmgo {

// From a value to one inside it: a member of an object, or an element of an array.
struct JsonStep {
  std::string_view key;
  int64_t index;  // negative: a member
};

// The byte at which the value begins to which the steps lead from the outermost one. If one of them
// is not found, as a key that is written with escapes, the value it starts from. The text has been
// parsed without an error.
size_t FindInJSON(std::string_view text, const std::vector<JsonStep>& steps);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_JSON_PLACE_H_
