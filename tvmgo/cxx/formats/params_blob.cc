// SPDX-License-Identifier: Apache-2.0
//
// Layout, all numbers little-endian:
//
//   file   = u64 0xF7E58D4F05049CB7, u64 reserved, u64 count, count names, u64 count, count tensors
//   name   = u64 length, bytes
//   tensor = u64 0xDD5E40F096B4A13F, u64 reserved, i32 device type and id, i32 ndim,
//            u8 code, u8 bits, u16 lanes, i64 shape[ndim], i64 nbytes, bytes
//
// Reserved words and the device id are ignored, and so is whatever follows the last tensor.
#include "formats/params_blob.h"

#include <cstdint>
#include <cstring>

#include "ffi/ffi.h"

namespace tvmgo {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blobs are read without swapping bytes");

constexpr uint64_t kListMagic = 0xF7E58D4F05049CB7;
constexpr uint64_t kTensorMagic = 0xDD5E40F096B4A13F;

class BlobReader {
 public:
  explicit BlobReader(std::string_view blob) : blob_(blob) {}

  std::vector<std::string_view> ReadNames() {
    stage_ = "Invalid parameters file format";
    Expect(ReadNumber<uint64_t>("the list magic") == kListMagic,
           "the list magic 0xF7E58D4F05049CB7");
    ReadNumber<uint64_t>("the reserved word");
    const auto count = ReadNumber<uint64_t>("the number of names");
    // Each name takes eight bytes at least, so a false count cannot make us allocate much.
    Expect(count <= Remaining() / sizeof(uint64_t), "fewer names, as the blob is too short");
    std::vector<std::string_view> names;
    names.reserve(count);
    while (names.size() < count) {
      names.push_back(ReadBytes(ReadNumber<uint64_t>("the length of a name"), "a name"));
    }
    return names;
  }

  std::vector<Param> ReadParams() {
    const std::vector<std::string_view> names = ReadNames();
    Expect(ReadNumber<uint64_t>("the number of tensors") == names.size(),
           "as many tensors as names");
    stage_ = "Invalid DLTensor file format";
    std::vector<Param> params;
    params.reserve(names.size());
    for (std::string_view name : names) params.push_back(Param{name, ReadTensor()});
    return params;
  }

 private:
  std::string_view ReadTensor() {
    Expect(ReadNumber<uint64_t>("the tensor magic") == kTensorMagic,
           "the tensor magic 0xDD5E40F096B4A13F");
    ReadNumber<uint64_t>("the reserved word");
    Expect(ReadNumber<int32_t>("the device type") == 1,
           "a CPU tensor (Invalid DLTensor device: can only save as CPU tensor)");
    ReadNumber<int32_t>("the device id");
    const auto ndim = ReadNumber<int32_t>("the number of dimensions");
    ReadNumber<uint8_t>("the type code");
    const auto bits = ReadNumber<uint8_t>("the bit width");
    Expect(IsStorableWidth(bits), "a width of 1, 2, 4 or a multiple of 8 bits");
    Expect(ReadNumber<uint16_t>("the lanes") != 0, "at least one lane");
    Expect(ndim >= 0 && static_cast<size_t>(ndim) <= Remaining() / sizeof(int64_t),
           "a number of dimensions that fits in the blob");
    const uint64_t nbytes = ReadShape(ndim, (bits + 7) / 8);
    Expect(ReadNumber<uint64_t>("the data length") == nbytes,
           "a data length equal to the shape times the bytes per element");
    return ReadBytes(nbytes, "the data");
  }

  // The size in bytes by the writers' rule, which does not count lanes.
  uint64_t ReadShape(int32_t ndim, uint64_t element_bytes) {
    uint64_t nbytes = element_bytes;
    bool fits = true;
    bool empty = false;
    for (int32_t i = 0; i < ndim; ++i) {
      const auto dim = ReadNumber<int64_t>("a dimension");
      Expect(dim >= 0, "a dimension that is not negative");
      empty = empty || dim == 0;
      fits = fits && !__builtin_mul_overflow(nbytes, static_cast<uint64_t>(dim), &nbytes);
    }
    Expect(fits || empty, "a shape that fits in memory");
    return empty ? 0 : nbytes;
  }

  // Powers of two below 8, and whole bytes. (128 is both.)
  static bool IsStorableWidth(uint32_t bits) {
    return bits == 1 || bits == 2 || bits == 4 || (bits != 0 && bits % 8 == 0);
  }

  template <typename T>
  T ReadNumber(const char* what) {
    T number;
    std::memcpy(&number, ReadBytes(sizeof(T), what).data(), sizeof(T));
    return number;
  }

  std::string_view ReadBytes(uint64_t size, const char* what) {
    if (size > Remaining()) {
      TVM_FFI_THROW(ValueError) << stage_ << ": " << what << " at byte " << position_ << " needs "
                                << size << " bytes, got " << Remaining();
    }
    const std::string_view bytes = blob_.substr(position_, size);
    position_ += size;
    return bytes;
  }

  size_t Remaining() const { return blob_.size() - position_; }

  // `expected` describes what should have stood right before the current position.
  void Expect(bool condition, const char* expected) const {
    if (condition) return;
    TVM_FFI_THROW(ValueError) << stage_ << ": before byte " << position_ << ": expected "
                              << expected;
  }

  std::string_view blob_;
  size_t position_ = 0;
  const char* stage_ = "";
};

}  // namespace

std::vector<Param> ParseParams(std::string_view blob) { return BlobReader(blob).ReadParams(); }

std::vector<std::string_view> ParseParamNames(std::string_view blob) {
  return BlobReader(blob).ReadNames();
}

}  // namespace tvmgo
