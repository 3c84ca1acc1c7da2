// SPDX-License-Identifier: Apache-2.0
//
// One tensor as TVM writes it into files: parameters of a graph, constants of a module.
#ifndef TVMGO_CXX_FORMATS_TENSOR_RECORD_H_
#define TVMGO_CXX_FORMATS_TENSOR_RECORD_H_

#include <string_view>
#include <vector>

#include "formats/blob_reader.h"
#include "tensor/tensor_make.h"

namespace tvmgo::classic {

struct TensorRecord {
  DLDataType dtype;  // as stored and shown today
  Shape shape;
  std::string_view data;  // little-endian, in C order
};

TensorRecord ReadTensorRecord(BlobReader* reader);

// A CPU tensor with that content.
Ref NewTensor(const TensorRecord& record);

struct NamedTensor {
  std::string_view name;
  TensorRecord tensor;
};

// As many tensors as names.
std::vector<NamedTensor> ReadTensorRecords(BlobReader* reader,
                                           const std::vector<std::string_view>& names);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_FORMATS_TENSOR_RECORD_H_
