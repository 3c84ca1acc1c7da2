// SPDX-License-Identifier: Apache-2.0
//
// The graph of a deploy trio: read from untrusted JSON, and after ParseGraph safe to execute
// without looking back. The file format is that of TVM 0.2-0.19.
#ifndef TVMGO_CXX_FORMATS_GRAPH_JSON_H_
#define TVMGO_CXX_FORMATS_GRAPH_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor_make.h"

namespace tvmgo {

// An operator, or a placeholder for an input or parameter.
struct Node {
  std::string name;  // not unique in real graphs
  bool is_op = false;
  uint32_t first_output = 0;  // entry id of output 0; the others follow
  uint32_t num_outputs = 0;
  // The rest is for operators.
  std::string func_name;
  std::vector<uint32_t> inputs;  // entry ids, all of earlier nodes
  bool flatten_data = false;
  // The operator's structural hash and the layouts of its data, which only profiles show.
  std::vector<std::pair<std::string, std::string>> traits;
};

// One output of one node: a tensor of fixed shape and element type.
struct Entry {
  Shape shape;
  std::string dtype_name;  // as written
  DLDataType dtype;        // as stored, see StoredDType
  int64_t storage_id = 0;  // entries with equal ids share memory; negative: memory of its own
  std::optional<int32_t> device_type;
  // Where it lies in a block that all such entries share, in units of kPlaceBytes; negative: as the
  // storage id says.
  int64_t place = -1;
};

constexpr size_t kPlaceBytes = 64;

struct Graph {
  std::vector<Node> nodes;  // in order of execution
  std::vector<Entry> entries;
  std::vector<uint32_t> inputs;        // node ids; the inputs and parameters, by input index
  std::vector<uint32_t> outputs;       // entry ids, by output index
  std::vector<uint32_t> output_nodes;  // the nodes these belong to
  std::optional<int64_t> model_id;     // see graph/model_id.h
};

// Parses and validates; throws ValueError naming the place.
Graph ParseGraph(std::string_view json);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_GRAPH_JSON_H_
