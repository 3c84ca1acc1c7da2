// SPDX-License-Identifier: Apache-2.0
//
// An untrusted file, read piece by piece.
#ifndef TVMGO_CXX_FORMATS_FILE_BYTES_H_
#define TVMGO_CXX_FORMATS_FILE_BYTES_H_

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>

#include "ffi/ffi.h"

namespace tvmgo {

// Any part can be read into memory if it is there; a part that is not is a ValueError which begins
// with the path.
class FileBytes {
 public:
  // `path`, which is not copied, is what errors call the file; its bytes are read at `source`.
  FileBytes(const std::string& source, const std::string& path)
      : path_(path), file_(std::fopen(source.c_str(), "rb"), std::fclose) {
    if (file_ == nullptr || std::fseek(file_.get(), 0, SEEK_END) != 0) Fail(std::strerror(errno));
    const long end = std::ftell(file_.get());
    if (end < 0) Fail(std::strerror(errno));
    size_ = static_cast<uint64_t>(end);
  }

  uint64_t size() const { return size_; }

  bool Has(uint64_t offset, uint64_t size) const {
    return offset <= size_ && size <= size_ - offset;
  }

  std::string Read(uint64_t offset, uint64_t size, const char* what) const {
    if (!Has(offset, size)) {
      std::ostringstream text;
      text << "file too short: " << what << " should be " << size << " bytes at offset " << offset
           << ", but there are only " << size_;
      Fail(text.str());
    }
    std::string bytes(size, '\0');
    if (std::fseek(file_.get(), static_cast<long>(offset), SEEK_SET) != 0 ||
        std::fread(bytes.data(), 1, size, file_.get()) != size) {
      Fail(std::string(what) + " cannot be read");
    }
    return bytes;
  }

  [[noreturn]] void Fail(const std::string& problem) const {
    // Without a backtrace: for one, the runtime reads the files of all libraries in memory, and
    // dies if one has been cut short since. It may well be this very file.
    throw tvm::ffi::Error("ValueError", path_ + ": cannot read file data: " + problem, "");
  }

 private:
  const std::string& path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
  uint64_t size_ = 0;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_FILE_BYTES_H_
