// SPDX-License-Identifier: Apache-2.0
//
// What modules wrote about themselves into a library. Payloads carry no length, so each has to be
// understood to find the next one. All views point into the blob.
#ifndef TVMGO_CXX_FORMATS_PAYLOADS_H_
#define TVMGO_CXX_FORMATS_PAYLOADS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/blob_reader.h"
#include "formats/tensor_record.h"

namespace tvmgo {

struct GraphFactoryPayload {
  std::string_view graph_json;
  std::vector<NamedTensor> params;
  std::string_view model_name;
};
GraphFactoryPayload ReadGraphFactory(BlobReader* reader);

struct ConstantsPayload {
  std::vector<NamedTensor> constants;
  // For each symbol the names of the constants its module is initialised with, all of which are
  // among the constants.
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> symbols;
};
ConstantsPayload ReadConstants(BlobReader* reader);

// The code of a GPU, as today's runtime reads the same: it knows one more list for each function,
// and spells one launch tag differently.
std::string ReadDeviceCode(BlobReader* reader);

// A module of an external library, described in JSON; written the same today.
std::string_view ReadJSONRuntime(BlobReader* reader);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_PAYLOADS_H_
