// SPDX-License-Identifier: Apache-2.0
#include "formats/module_outline.h"

#include <algorithm>
#include <utility>

namespace tvmgo {
namespace {

constexpr char kModules[] = "the embedded modules";
constexpr uint64_t kLengthBytes = sizeof(uint64_t);

// Goes through the bytes and copies what is to be kept.
class Outline {
 public:
  Outline(const ElfFile& file, uint64_t offset, uint64_t size)
      : file_(file), offset_(offset), end_(offset + size) {}

  // A number, which is kept; 0 and the end of everything if there is none.
  uint64_t Number() {
    const std::string bytes = Keep(kLengthBytes);
    return bytes.size() == kLengthBytes ? file_.Number(bytes, 0, kLengthBytes) : 0;
  }

  // That many bytes, or as many as there are.
  std::string Keep(uint64_t size) {
    const std::string bytes = file_.Read(offset_, std::min(size, end_ - offset_), kModules);
    offset_ += bytes.size();
    kept_ += bytes;
    return bytes;
  }

  // A list of numbers. Returns how many there should be.
  uint64_t KeepNumbers() {
    const uint64_t count = Number();
    Keep(std::min(count, end_ / kLengthBytes) * kLengthBytes);
    return count;
  }

  // A text, which is replaced by an empty one if all of it is there.
  void SkipText() {
    const uint64_t size = Number();
    if (size > end_ - offset_) {  // the parser will say so of its length
      offset_ = end_;
      return;
    }
    kept_.replace(kept_.size() - kLengthBytes, kLengthBytes, kLengthBytes, '\0');
    offset_ += size;
  }

  bool at_end() const { return offset_ == end_; }
  std::string TakeKept() { return std::move(kept_); }

 private:
  const ElfFile& file_;
  uint64_t offset_, end_;
  std::string kept_;
};

}  // namespace

std::string OutlineModules(const ElfFile& file, uint64_t offset, uint64_t size) {
  Outline outline(file, offset, size);
  const uint64_t num_rows = outline.KeepNumbers();
  outline.KeepNumbers();  // the imports
  for (uint64_t i = 1; i < num_rows && !outline.at_end(); ++i) {
    const std::string key = outline.Keep(outline.Number());
    if (key != "_lib" && !outline.at_end()) outline.SkipText();
  }
  return outline.TakeKept();
}

}  // namespace tvmgo
