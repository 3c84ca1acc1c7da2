// SPDX-License-Identifier: Apache-2.0
//
// The number that all files of one export have in common, so that those of two cannot be mixed:
//
//   graph     the attribute "tvmgo_model_id": ["list_int", [upper 31 bits, lower 31 bits]]
//   library   a function of that name, without arguments: an integer
//   params    a tensor of that name: int64, one for each graph that shares the parameters
//
// TVM's runtimes skip all three. A file without one, such as all of TVM's own, fits any other.
#ifndef TVMGO_CXX_GRAPH_MODEL_ID_H_
#define TVMGO_CXX_GRAPH_MODEL_ID_H_

#include "ffi/ffi.h"
#include "formats/graph_json.h"
#include "formats/tensor_record.h"

namespace tvmgo {

constexpr std::string_view kModelIdName = "tvmgo_model_id";

// The library, which may be none. Throws ValueError if it is of another export than the graph.
Ref OfSameModel(const Graph& graph, Ref library);

// The same check of the parameters in a file, and of one parameter, which need not be the number.
void RequireSameModel(const Graph& graph, const std::vector<NamedTensor>& params);
void RequireSameModel(const Graph& graph, std::string_view name, const DLTensor& param);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODEL_ID_H_
