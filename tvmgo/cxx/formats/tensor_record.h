// SPDX-License-Identifier: Apache-2.0
//
// One tensor as TVM writes it into files: parameters of a graph, constants of a module.
#ifndef TVMGO_CXX_FORMATS_TENSOR_RECORD_H_
#define TVMGO_CXX_FORMATS_TENSOR_RECORD_H_

#include <string_view>
#include <vector>

#include "formats/blob_reader.h"
#include "tensor/tensor_make.h"

namespace tvmgo {

struct TensorRecord {
  DLDataType dtype;  // as stored and shown today; of TensorUse::kBytes as written
  Shape shape;
  std::string_view data;  // little-endian, in C order
};

// What becomes of a record.
enum class TensorUse {
  // A tensor like it. So its element type must be one of today's, and its shape must fit in memory
  // even if it has no elements. Codes above complex were 8-bit floats of changing numbers in the
  // files that are read so, and are refused.
  kTensor,
  // The same for files that may be of today, where codes above complex are DLPack's.
  kTodaysTensor,
  // Only its bytes are used, under the shape and type that a graph gives them. So any type will do
  // whose size is known: .params files may hold some that nobody could show today.
  kBytes,
};

TensorRecord ReadTensorRecord(BlobReader* reader, TensorUse use);

// A CPU tensor with that content.
Ref NewTensor(const TensorRecord& record);

struct NamedTensor {
  std::string_view name;
  TensorRecord tensor;
};

// As many as names.
std::vector<NamedTensor> ReadTensorRecords(BlobReader* reader,
                                           const std::vector<std::string_view>& names,
                                           TensorUse use);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_TENSOR_RECORD_H_
