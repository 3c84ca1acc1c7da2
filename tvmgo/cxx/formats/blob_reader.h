// SPDX-License-Identifier: Apache-2.0
//
// A cursor over an untrusted binary stream of TVM: numbers little-endian, texts and lists preceded
// by a 64-bit length. Nothing is copied; every error names the document and the byte.
#ifndef TVMGO_CXX_FORMATS_BLOB_READER_H_
#define TVMGO_CXX_FORMATS_BLOB_READER_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// A text from a blob, fit for an error message: it may be long, and need not be text at all.
inline std::string Shown(std::string_view text) {
  constexpr size_t kEnough = 60;
  std::string shown(text.substr(0, kEnough));
  for (char& character : shown) {
    if (character < ' ' || character > '~') character = '?';
  }
  return text.size() > kEnough ? shown + "..." : shown;
}

class BlobReader {
 public:
  BlobReader(std::string_view blob, const char* document) : blob_(blob), document_(document) {}

  // What later errors begin with, for documents whose parts have names of their own.
  void set_document(const char* document) { document_ = document; }

  size_t position() const { return position_; }
  size_t remaining() const { return blob_.size() - position_; }
  // What was read since that position.
  std::string_view Since(size_t begin) const { return blob_.substr(begin, position_ - begin); }

  template <typename T>
  T Number(const char* what) {
    T number;
    std::memcpy(&number, Bytes(sizeof(T), what).data(), sizeof(T));
    return number;
  }

  std::string_view Bytes(uint64_t size, const char* what) {
    if (size > remaining()) {
      TVM_FFI_THROW(ValueError) << document_ << ": " << what << " at byte " << position_
                                << " needs " << size << " bytes, got " << remaining();
    }
    const std::string_view bytes = blob_.substr(position_, size);
    position_ += size;
    return bytes;
  }

  // The length of a list whose items take at least `item_bytes` each, so that a false one cannot
  // make us allocate much.
  uint64_t Count(const char* what, size_t item_bytes) {
    const auto count = Number<uint64_t>(what);
    if (count > remaining() / item_bytes) {
      TVM_FFI_THROW(ValueError) << document_ << ": " << what << " before byte " << position_
                                << " says " << count << ", for which the blob is too short";
    }
    return count;
  }

  std::string_view Text(const char* what) { return Bytes(Number<uint64_t>(what), what); }

  std::vector<std::string_view> Texts(const char* what) { return Texts(what, what); }
  // The same where an error may be about the length of the list or about an item.
  std::vector<std::string_view> Texts(const char* length, const char* item) {
    const uint64_t count = Count(length, sizeof(uint64_t));
    std::vector<std::string_view> texts;
    texts.reserve(count);
    while (texts.size() < count) texts.push_back(Text(item));
    return texts;
  }

  std::vector<uint64_t> Numbers(const char* what) {
    const uint64_t count = Count(what, sizeof(uint64_t));
    std::vector<uint64_t> numbers;
    numbers.reserve(count);
    while (numbers.size() < count) numbers.push_back(Number<uint64_t>(what));
    return numbers;
  }

  // `expected` describes what should have stood right before the current position.
  void Expect(bool condition, const char* expected) const {
    if (condition) return;
    TVM_FFI_THROW(ValueError) << document_ << ": before byte " << position_ << ": expected "
                              << expected;
  }

 private:
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blobs are read without swapping bytes");

  std::string_view blob_;
  size_t position_ = 0;
  const char* document_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_BLOB_READER_H_
