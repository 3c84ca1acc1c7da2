// SPDX-License-Identifier: Apache-2.0
#include "formats/text_place.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tvmgo {
namespace {

constexpr size_t kCharactersShown = 40;  // on each side
constexpr size_t kBytesRead = 8 * kCharactersShown;

constexpr std::string_view kUnprintable = "\xEF\xBF\xBD";  // U+FFFD

bool IsContinuation(char byte) { return (byte & 0xC0) == 0x80; }

bool IsSpace(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

// The bytes of the UTF-8 character that a text begins with, or 0 if that is malformed or a control
// character.
size_t PrintableLength(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  uint32_t code = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
    code = code << 6 | (text[i] & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0xA0, 0x800, 0x10000};  // from 0x80 to 0x9F are controls
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= kLeast[length] && code <= 0x10FFFF && !is_surrogate ? length : 0;
}

// The characters, where a line break with the spaces around it is one space.
std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    size_t length = 0;
    while (length < text.size() && IsSpace(text[length])) ++length;
    const std::string_view spaces = text.substr(0, length);
    if (spaces.find_first_of("\r\n") != std::string_view::npos) {
      characters.push_back(" ");
    } else {
      characters.insert(characters.end(), length, " ");
    }
    text.remove_prefix(length);
    if (text.empty()) break;
    length = PrintableLength(text);
    characters.push_back(length == 0 ? kUnprintable : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return characters;
}

template <typename Iterator>
std::string Join(Iterator begin, Iterator end) {
  std::string joined;
  for (; begin != end; ++begin) joined += *begin;
  return joined;
}

}  // namespace

std::string Printable(std::string_view text) {
  const std::vector<std::string_view> characters = Characters(text);
  return Join(characters.begin(), characters.end());
}

std::string ShowPlace(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  const size_t line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view line_before = before.substr(before.rfind('\n') + 1);
  const size_t column = 1 + std::count_if(line_before.begin(), line_before.end(),
                                          [](char byte) { return !IsContinuation(byte); });

  size_t begin = offset - std::min(offset, kBytesRead);
  while (begin > 0 && begin < offset && IsContinuation(text[begin])) ++begin;
  const auto left = Characters(text.substr(begin, offset - begin));
  const auto right = Characters(text.substr(offset, kBytesRead));
  const size_t num_left = std::min(left.size(), kCharactersShown);
  const size_t num_right = std::min(right.size(), kCharactersShown);
  const bool cut_left = begin > 0 || num_left < left.size();
  const bool cut_right = text.size() - offset > kBytesRead || num_right < right.size();

  const std::string indent = std::string("\n  ") + (cut_left ? "..." : "");
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ":" + indent +
         Join(left.end() - num_left, left.end()) + Join(right.begin(), right.begin() + num_right) +
         (cut_right ? "..." : "") + "\n" + std::string(indent.size() - 1 + num_left, ' ') + "^";
}

}  // namespace tvmgo
