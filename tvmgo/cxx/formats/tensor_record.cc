// SPDX-License-Identifier: Apache-2.0
//
// Layout:
//
//   u64 0xDD5E40F096B4A13F, u64 reserved, i32 device type and id, i32 ndim,
//   u8 code, u8 bits, u16 lanes, i64 shape[ndim], i64 nbytes, bytes
#include "formats/tensor_record.h"

#include <cstring>

#include "tensor/dtype_string.h"
#include "tensor/tensor_copy.h"
#include "tensor/tensor_size.h"

namespace tvmgo::classic {
namespace {

constexpr uint64_t kTensorMagic = 0xDD5E40F096B4A13F;

// Whether StoredDType has an answer.
bool IsStorable(DLDataType dtype) {
  if (dtype.bits % 8 == 0) return dtype.bits != 0;
  const bool is_integer = dtype.code == kDLUInt || dtype.code == kDLInt;
  return is_integer && (dtype.bits == 1 || dtype.bits == 4);
}

}  // namespace

TensorRecord ReadTensorRecord(BlobReader* reader) {
  reader->Expect(reader->Number<uint64_t>("the tensor magic") == kTensorMagic,
                 "the tensor magic 0xDD5E40F096B4A13F");
  reader->Number<uint64_t>("the reserved word");
  reader->Expect(reader->Number<int32_t>("the device type") == kDLCPU, "a CPU tensor");
  reader->Number<int32_t>("the device id");
  const auto ndim = reader->Number<int32_t>("the number of dimensions");
  DLDataType dtype;
  dtype.code = reader->Number<uint8_t>("the type code");
  dtype.bits = reader->Number<uint8_t>("the bit width");
  dtype.lanes = reader->Number<uint16_t>("the lanes");
  // Writers did not count lanes, so vectors were never stored whole; codes above were 8-bit floats
  // of changing numbers.
  reader->Expect(dtype.lanes == 1, "one lane");
  reader->Expect(dtype.code <= kDLComplex, "an element type of TVM up to 0.20");
  reader->Expect(IsStorable(dtype), "elements of whole bytes, or integers of 1 or 4 bits");
  reader->Expect(ndim >= 0 && static_cast<size_t>(ndim) <= reader->remaining() / sizeof(int64_t),
                 "a number of dimensions that fits in the blob");
  TensorRecord record;
  for (int32_t i = 0; i < ndim; ++i) record.shape.push_back(reader->Number<int64_t>("a dimension"));
  record.dtype = StoredDType(dtype);
  size_t nbytes = 0;
  reader->Expect(CompactTensorBytes(record.shape.data(), ndim, record.dtype, &nbytes),
                 "a shape that fits in memory");
  reader->Expect(reader->Number<uint64_t>("the data length") == nbytes,
                 "a data length equal to the shape times the bytes per element");
  record.data = reader->Bytes(nbytes, "the data");
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
                                           const std::vector<std::string_view>& names) {
  std::vector<NamedTensor> tensors;
  for (std::string_view name : names) {
    tensors.push_back(NamedTensor{name, ReadTensorRecord(reader)});
  }
  return tensors;
}

}  // namespace tvmgo::classic
