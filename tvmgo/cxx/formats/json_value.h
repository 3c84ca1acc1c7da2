// SPDX-License-Identifier: Apache-2.0
//
// Typed access to a parsed JSON document. The parsing itself is libtvm_ffi's; this layer turns
// every surprise into a ValueError that names the place and shows it, as in
//
//   graph JSON: nodes[3].inputs[0]: expected an index below 4, got "x": line 1, column 34:
//     ..."op": "tvm_op", "inputs": [["x", 0]], "attrs": {"num_inpu...
//                                    ^
#ifndef TVMGO_CXX_FORMATS_JSON_VALUE_H_
#define TVMGO_CXX_FORMATS_JSON_VALUE_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// Parses text from an untrusted source; `document` begins every later message. Nesting is limited,
// because the parser below recurses.
Value ParseJSON(std::string_view text, const char* document);

// One value inside a document, borrowed, together with the way to it. The way is a chain of parents
// and becomes text only when an error needs it, so reading allocates nothing; therefore a Json must
// not outlive its parent.
class Json {
 public:
  Json(const Value& root, const char* document, std::string_view text)
      : value_(root.view()), key_(document), text_(text) {}
  Json(const TVMFFIAny& value, const Json& parent, std::string_view key)
      : value_(value), parent_(&parent), key_(key) {}

  // An integer within the limits.
  int64_t Int(int64_t min = INT64_MIN, int64_t max = INT64_MAX) const;
  // An index below `size`.
  uint32_t Index(size_t size) const;
  // A string; the view lives as long as the document.
  std::string_view Text() const;
  // A number written as a string of decimal digits, as node attributes are.
  int64_t Digits() const;

  // The length of an array, and its elements.
  size_t Size() const;
  Json operator[](size_t index) const;

  // "graph JSON: nodes[3].inputs[0]"
  std::string Path() const;
  // Throws ValueError: what was expected and what came, or any other sentence.
  [[noreturn]] void Fail(const std::string& expected) const;
  [[noreturn]] void FailWith(const std::string& message) const;

  const TVMFFIAny& raw() const { return value_; }

 private:
  Json(const TVMFFIAny& value, const Json& parent, size_t index)
      : value_(value), parent_(&parent), index_(static_cast<int64_t>(index)) {}

  std::string Describe() const;
  // `sentence`, and the text around this value.
  [[noreturn]] void Throw(const std::string& sentence) const;
  friend class JsonObject;

  const TVMFFIAny& value_;
  const Json* parent_ = nullptr;  // null for the document itself
  std::string_view key_;          // the member's name, when index_ is negative
  int64_t index_ = -1;
  std::string_view text_;  // of the document itself only
};

// The members of one JSON object.
class JsonObject {
 public:
  explicit JsonObject(const Json& json);

  std::optional<Json> Find(std::string_view key) const;
  // The member, or an error that calls the document an "invalid format".
  Json Get(std::string_view key) const;
  // Fails at the first member not listed: `PATH: BEFORE "KEY" AFTER`.
  void AllowOnly(std::initializer_list<std::string_view> keys, const char* before,
                 const char* after) const;

  const std::vector<std::pair<std::string, Value>>& members() const { return members_; }
  const Json& json() const { return json_; }

 private:
  const Json& json_;
  std::vector<std::pair<std::string, Value>> members_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_JSON_VALUE_H_
