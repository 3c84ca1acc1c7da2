// SPDX-License-Identifier: Apache-2.0
//
// Arrays are read through the C API's sequence cell, objects through the global
// iterator functions of libtvm_ffi, so nothing here depends on the layout of its C++ containers.
#include "formats/json_value.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "formats/json_place.h"
#include "formats/text_place.h"

namespace tvmgo {
namespace {

// Graph JSON itself needs five levels; `metadata`, which is skipped, may hold a few more.
constexpr int kMaxNesting = 64;

void CheckNesting(std::string_view text, const char* document) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;  // whatever is escaped cannot end the string
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxNesting) {
        TVM_FFI_THROW(ValueError) << document << ": nested deeper than " << kMaxNesting
                                  << " levels: " << ShowPlace(text, i);
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

const TVMFFISeqCell& SequenceOf(const TVMFFIAny& array) {
  const char* object = reinterpret_cast<const char*>(array.v_obj);
  return *reinterpret_cast<const TVMFFISeqCell*>(object + sizeof(TVMFFIObject));
}

std::string Quote(std::string_view text) {
  if (text.size() <= 40) return "\"" + Printable(text) + "\"";
  size_t shown = 40;
  while (shown > 0 && (text[shown] & 0xC0) == 0x80) --shown;  // do not cut a UTF-8 sequence
  return "\"" + Printable(text.substr(0, shown)) + "...\"";
}

// The parser's message ends with ": line 1 column 17 (char 16)", where the last number counts
// bytes.
std::string WithPlace(const std::string& message, std::string_view text) {
  constexpr std::string_view kByte = " (char ";
  const size_t place = message.rfind(": line ");
  const size_t byte = message.rfind(kByte);
  if (place == std::string::npos || byte == std::string::npos || byte < place) return message;
  const size_t offset = std::strtoull(message.c_str() + byte + kByte.size(), nullptr, 10);
  return message.substr(0, place) + ": " + ShowPlace(text, offset);
}

}  // namespace

Value ParseJSON(std::string_view text, const char* document) {
  CheckNesting(text, document);
  try {
    return Call(GetGlobal("ffi.json.Parse"), Value(text).view());
  } catch (const tvm::ffi::Error& error) {
    TVM_FFI_THROW(ValueError) << document << ": " << WithPlace(error.message(), text);
    TVM_FFI_UNREACHABLE();
  }
}

int64_t Json::Int(int64_t min, int64_t max) const {
  if (value_.type_index == kTVMFFIInt && value_.v_int64 >= min && value_.v_int64 <= max) {
    return value_.v_int64;
  }
  if (min == INT64_MIN && max == INT64_MAX) Fail("an integer");
  Fail("an integer from " + std::to_string(min) + " to " + std::to_string(max));
}

uint32_t Json::Index(size_t size) const {
  if (value_.type_index == kTVMFFIInt && value_.v_int64 >= 0 &&
      static_cast<uint64_t>(value_.v_int64) < size) {
    return static_cast<uint32_t>(value_.v_int64);
  }
  Fail("an index below " + std::to_string(size));
}

std::string_view Json::Text() const {
  if (!IsText(value_)) Fail("a string");
  return TextOf(value_);
}

int64_t Json::Digits() const {
  int64_t number = 0;
  const std::string_view text = Text();
  for (char c : text) {
    if (c < '0' || c > '9' || number > INT32_MAX) Fail("a string of decimal digits");
    number = number * 10 + (c - '0');
  }
  if (text.empty() || number > INT32_MAX) Fail("a string of decimal digits");
  return number;
}

size_t Json::Size() const {
  if (value_.type_index != kTVMFFIArray) Fail("an array");
  return static_cast<size_t>(SequenceOf(value_).size);
}

Json Json::operator[](size_t index) const {
  return Json(static_cast<const TVMFFIAny*>(SequenceOf(value_).data)[index], *this, index);
}

std::string Json::Path() const {
  if (parent_ == nullptr) return std::string(key_);
  if (index_ >= 0) return parent_->Path() + "[" + std::to_string(index_) + "]";
  return parent_->Path() + (parent_->parent_ == nullptr ? ": " : ".") + std::string(key_);
}

std::string Json::Describe() const {
  switch (value_.type_index) {
    case kTVMFFINone:
      return "null";
    case kTVMFFIBool:
      return value_.v_int64 != 0 ? "true" : "false";
    case kTVMFFIInt:
      return std::to_string(value_.v_int64);
    case kTVMFFIFloat: {
      std::ostringstream text;
      text << value_.v_float64;
      return text.str();
    }
    case kTVMFFIArray:
      return "an array of length " + std::to_string(Size());
    case kTVMFFIMap:
      return "an object";
    default:
      return Quote(TextOf(value_));
  }
}

void Json::Fail(const std::string& expected) const {
  FailWith("expected " + expected + ", got " + Describe());
}

void Json::FailWith(const std::string& message) const { Throw(Path() + ": " + message); }

void Json::Throw(const std::string& sentence) const {
  std::vector<JsonStep> steps;
  const Json* json = this;
  for (; json->parent_ != nullptr; json = json->parent_) {
    steps.push_back(JsonStep{json->key_, json->index_});
  }
  std::reverse(steps.begin(), steps.end());
  TVM_FFI_THROW(ValueError) << sentence << ": "
                            << ShowPlace(json->text_, FindInJSON(json->text_, steps));
  TVM_FFI_UNREACHABLE();
}

JsonObject::JsonObject(const Json& json) : json_(json) {
  if (json.raw().type_index != kTVMFFIMap) json.Fail("an object");
  const int64_t size = Call(GetGlobal("ffi.MapSize"), json.raw()).view().v_int64;
  if (size == 0) return;  // the iterator below must not be asked about an empty map
  members_.reserve(static_cast<size_t>(size));
  Ref next = Call(GetGlobal("ffi.MapForwardIterFunctor"), json.raw()).TakeObject();
  do {
    Value key = Call(next, AnyInt(0));
    members_.emplace_back(TextOf(key.view()), Call(next, AnyInt(1)));
  } while (Call(next, AnyInt(2)).view().v_int64 != 0);
}

std::optional<Json> JsonObject::Find(std::string_view key) const {
  for (const auto& [name, value] : members_) {
    if (name == key) return Json(value.view(), json_, name);
  }
  return std::nullopt;
}

Json JsonObject::Get(std::string_view key) const {
  std::optional<Json> member = Find(key);
  if (!member) {
    json_.FailWith("invalid format, the key \"" + std::string(key) + "\" is missing");
  }
  return *member;
}

void JsonObject::AllowOnly(std::initializer_list<std::string_view> keys, const char* before,
                           const char* after) const {
  for (const auto& [name, value] : members_) {
    bool known = false;
    for (std::string_view key : keys) known = known || key == name;
    if (known) continue;
    const std::string sentence = std::string(before) + " " + Quote(name) + after;
    Json(value.view(), json_, name).Throw(json_.Path() + ": " + sentence);
  }
}

}  // namespace tvmgo
