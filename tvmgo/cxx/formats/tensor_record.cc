// SPDX-License-Identifier: Apache-2.0
//
// Layout:
//
//   u64 0xDD5E40F096B4A13F, u64 reserved, i32 device type and id, i32 ndim,
//   u8 code, u8 bits, u16 lanes, i64 shape[ndim], i64 nbytes, bytes
//
// The reserved word and the device id are ignored.
#include "formats/tensor_record.h"

#include <cstring>

#include "tensor/dtype_string.h"
#include "tensor/tensor_copy.h"
#include "tensor/tensor_size.h"

namespace tvmgo {
namespace {

constexpr uint64_t kTensorMagic = 0xDD5E40F096B4A13F;

// Whether StoredDType has an answer.
bool IsStorable(DLDataType dtype) {
  if (dtype.bits % 8 == 0) return dtype.bits != 0;
  const bool is_integer = dtype.code == kDLUInt || dtype.code == kDLInt;
  return is_integer && (dtype.bits == 1 || dtype.bits == 4);
}

DLDataType ReadDType(BlobReader* reader, TensorUse use) {
  DLDataType dtype;
  dtype.code = reader->Number<uint8_t>("the type code");
  dtype.bits = reader->Number<uint8_t>("the bit width");
  dtype.lanes = reader->Number<uint16_t>("the lanes");
  if (use == TensorUse::kBytes) {
    const bool has_size = dtype.bits == 1 || dtype.bits == 2 || dtype.bits == 4 ||
                          (dtype.bits != 0 && dtype.bits % 8 == 0);
    reader->Expect(has_size, "a width of 1, 2, 4 or a multiple of 8 bits");
    reader->Expect(dtype.lanes != 0, "at least one lane");
    return dtype;
  }
  // Writers did not count lanes, so vectors were never stored whole.
  reader->Expect(dtype.lanes == 1, "one lane");
  if (use == TensorUse::kTensor) {
    reader->Expect(dtype.code <= kDLComplex, "an element type of TVM up to 0.20");
  } else {
    reader->Expect(dtype.code <= kDLFloat8_e8m0fnu, "a known element type");
  }
  reader->Expect(IsStorable(dtype), "elements of whole bytes, or integers of 1 or 4 bits");
  return StoredDType(dtype);
}

Shape ReadShape(BlobReader* reader, int32_t ndim) {
  reader->Expect(ndim >= 0 && static_cast<size_t>(ndim) <= reader->remaining() / sizeof(int64_t),
                 "a number of dimensions that fits in the blob");
  Shape shape;
  shape.reserve(ndim);
  for (int32_t i = 0; i < ndim; ++i) {
    shape.push_back(reader->Number<int64_t>("a dimension"));
    reader->Expect(shape.back() >= 0, "a dimension of the shape that is not negative");
  }
  return shape;
}

// The size in bytes by the writers' rule, by which elements below one byte take one, and lanes do
// not count. False when it does not fit in 64 bits.
bool WrittenBytes(const Shape& shape, uint64_t element_bytes, uint64_t* nbytes) {
  *nbytes = element_bytes;
  bool fits = true, empty = false;
  for (int64_t dim : shape) {
    empty = empty || dim == 0;
    fits = fits && !__builtin_mul_overflow(*nbytes, static_cast<uint64_t>(dim), nbytes);
  }
  if (empty) *nbytes = 0;
  return fits || empty;
}

}  // namespace

TensorRecord ReadTensorRecord(BlobReader* reader, TensorUse use) {
  reader->Expect(reader->Number<uint64_t>("the tensor magic") == kTensorMagic,
                 "the tensor magic 0xDD5E40F096B4A13F");
  reader->Number<uint64_t>("the reserved word");
  reader->Expect(reader->Number<int32_t>("the device type") == kDLCPU,
                 "a CPU tensor (Invalid DLTensor device: can only save as CPU tensor)");
  reader->Number<int32_t>("the device id");
  const auto ndim = reader->Number<int32_t>("the number of dimensions");
  TensorRecord record;
  record.dtype = ReadDType(reader, use);
  record.shape = ReadShape(reader, ndim);
  uint64_t nbytes;
  size_t nbytes_today;
  reader->Expect(WrittenBytes(record.shape, (record.dtype.bits + 7) / 8, &nbytes) &&
                     (use == TensorUse::kBytes ||
                      CompactTensorBytes(record.shape.data(), ndim, record.dtype, &nbytes_today)),
                 "a shape that fits in memory");
  reader->Expect(reader->Number<uint64_t>("the data length") == nbytes,
                 "a data length equal to the shape times the bytes per element");
  record.data = reader->Bytes(nbytes, "the data");
  // TVM 0.14 to 0.19 wrote 8-bit floats under the code that is bool today.
  reader->Expect(use != TensorUse::kTodaysTensor || record.dtype.code != kDLBool ||
                     record.data.find_first_not_of({"\0\1", 2}) == std::string_view::npos,
                 "bools of 0 and 1");
  return record;
}

Ref NewTensor(const TensorRecord& record) {
  Ref tensor =
      ViewTensor(NewMemory(record.data.size(), DLDevice{kDLCPU, 0}), record.shape, record.dtype);
  if (!record.data.empty()) {
    std::memcpy(TensorData(TensorOf(tensor)), record.data.data(), record.data.size());
  }
  return tensor;
}

std::vector<NamedTensor> ReadTensorRecords(BlobReader* reader,
                                           const std::vector<std::string_view>& names,
                                           TensorUse use) {
  std::vector<NamedTensor> tensors;
  tensors.reserve(names.size());
  for (std::string_view name : names) {
    tensors.push_back(NamedTensor{name, ReadTensorRecord(reader, use)});
  }
  return tensors;
}

}  // namespace tvmgo
