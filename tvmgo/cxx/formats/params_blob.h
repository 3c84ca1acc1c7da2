// SPDX-License-Identifier: Apache-2.0
//
// The `.params` file of a deploy trio. The runtime's own `runtime.LoadParams` reads past its
// buffers on bool tensors and truncated files, so untrusted blobs are parsed here; nothing is
// copied, the records point into the blob.
#ifndef TVMGO_CXX_FORMATS_PARAMS_BLOB_H_
#define TVMGO_CXX_FORMATS_PARAMS_BLOB_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/tensor_record.h"

namespace tvmgo {

// Reads all names and tensors, for what `use` says. Throws ValueError ("Invalid parameters file
// format" or "Invalid DLTensor file format") with the byte offset of the first thing that is wrong.
std::vector<NamedTensor> ParseParams(std::string_view blob, TensorUse use);

// Reads the header and the names only, for those who share tensors instead of loading them.
std::vector<std::string_view> ParseParamNames(std::string_view blob);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_PARAMS_BLOB_H_
