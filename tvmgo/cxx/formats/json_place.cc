// SPDX-License-Identifier: Apache-2.0
#include "formats/json_place.h"

#include <optional>

namespace tvmgo {
namespace {

// Walks over the tokens of a text. At its end it stays there.
class Scanner {
 public:
  Scanner(std::string_view text, size_t position) : text_(text), position_(position) {
    SkipSpace();
  }

  size_t position() const { return position_; }

  bool Skip(char token) {
    if (position_ >= text_.size() || text_[position_] != token) return false;
    ++position_;
    SkipSpace();
    return true;
  }

  // What is between the quotes.
  std::string_view SkipString() {
    const size_t begin = ++position_;
    while (position_ < text_.size() && text_[position_] != '"') {
      position_ += text_[position_] == '\\' ? 2 : 1;
    }
    if (position_ >= text_.size()) {
      position_ = text_.size();
      return text_.substr(begin <= text_.size() ? begin : text_.size());
    }
    const std::string_view content = text_.substr(begin, position_ - begin);
    ++position_;
    SkipSpace();
    return content;
  }

  void SkipValue() {
    int depth = 0;
    do {
      if (position_ >= text_.size()) return;
      const char token = text_[position_];
      if (token == '"') {
        SkipString();
      } else if (token == '[' || token == '{') {
        ++depth, ++position_;
      } else if (token == ']' || token == '}') {
        --depth, ++position_;
      } else if (depth > 0) {
        ++position_;
      } else {
        position_ = text_.find_first_of(",]} \t\r\n", position_);
        if (position_ == std::string_view::npos) position_ = text_.size();
      }
    } while (depth > 0);
    SkipSpace();
  }

 private:
  void SkipSpace() {
    position_ = text_.find_first_not_of(" \t\r\n", position_);
    if (position_ == std::string_view::npos) position_ = text_.size();
  }

  std::string_view text_;
  size_t position_;
};

std::optional<size_t> FindElement(Scanner scanner, int64_t index) {
  if (!scanner.Skip('[')) return std::nullopt;
  for (; index > 0; --index) {
    scanner.SkipValue();
    if (!scanner.Skip(',')) return std::nullopt;
  }
  return scanner.position();
}

// Of members with the same key the last one counts.
std::optional<size_t> FindMember(Scanner scanner, std::string_view key) {
  std::optional<size_t> found;
  if (!scanner.Skip('{')) return found;
  do {
    const bool is_it = scanner.SkipString() == key;
    scanner.Skip(':');
    if (is_it) found = scanner.position();
    scanner.SkipValue();
  } while (scanner.Skip(','));
  return found;
}

}  // namespace

size_t FindInJSON(std::string_view text, const std::vector<JsonStep>& steps) {
  size_t position = Scanner(text, 0).position();
  for (const JsonStep& step : steps) {
    const Scanner scanner(text, position);
    const auto found =
        step.index < 0 ? FindMember(scanner, step.key) : FindElement(scanner, step.index);
    if (!found) break;
    position = *found;
  }
  return position;
}

}  // namespace tvmgo
