// SPDX-License-Identifier: Apache-2.0
//
// Layout, all numbers little-endian:
//
//   file = u64 0xF7E58D4F05049CB7, u64 reserved, u64 count, count names, u64 count, count tensors
//   name = u64 length, bytes
//
// For tensors see tensor_record.cc. The reserved word is ignored, and so is whatever follows the
// last tensor.
#include "formats/params_blob.h"

#include <cstdint>

#include "formats/blob_reader.h"

namespace tvmgo {
namespace {

constexpr uint64_t kListMagic = 0xF7E58D4F05049CB7;

std::vector<std::string_view> ReadNames(BlobReader* reader) {
  reader->Expect(reader->Number<uint64_t>("the list magic") == kListMagic,
                 "the list magic 0xF7E58D4F05049CB7");
  reader->Number<uint64_t>("the reserved word");
  return reader->Texts("the number of names", "a name");
}

constexpr char kHeader[] = "Invalid parameters file format";
constexpr char kTensors[] = "Invalid DLTensor file format";

}  // namespace

std::vector<NamedTensor> ParseParams(std::string_view blob, TensorUse use) {
  BlobReader reader(blob, kHeader);
  const std::vector<std::string_view> names = ReadNames(&reader);
  reader.Expect(reader.Number<uint64_t>("the number of tensors") == names.size(),
                "as many tensors as names");
  reader.set_document(kTensors);
  return ReadTensorRecords(&reader, names, use);
}

std::vector<std::string_view> ParseParamNames(std::string_view blob) {
  BlobReader reader(blob, kHeader);
  return ReadNames(&reader);
}

}  // namespace tvmgo
