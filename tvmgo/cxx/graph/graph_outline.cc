// SPDX-License-Identifier: Apache-2.0
#include "graph/graph_outline.h"

#include <string_view>
#include <utility>
#include <vector>

#include "ffi/containers.h"

namespace tvmgo {
namespace {

Value Pair(Value first, Value second) {
  std::vector<Value> items;
  items.push_back(std::move(first));
  items.push_back(std::move(second));
  return NewArray(items);
}

}  // namespace

Value DescribeNodes(const Graph& graph) {
  std::vector<int64_t> node_of_entry;
  std::vector<Value> nodes;
  for (const Node& node : graph.nodes) {
    node_of_entry.resize(node.first_output + node.num_outputs, static_cast<int64_t>(nodes.size()));
    std::vector<Value> inputs;
    for (uint32_t entry : node.inputs) {
      const int64_t from = node_of_entry[entry];
      const int64_t output = entry - graph.nodes[from].first_output;
      inputs.push_back(Pair(Value(from), Value(output)));
    }
    std::vector<Value> outputs;
    for (uint32_t i = 0; i < node.num_outputs; ++i) {
      const Entry& entry = graph.entries[node.first_output + i];
      outputs.push_back(Pair(NewShape(entry.shape), Value(entry.dtype)));
    }
    std::vector<Value> items;
    items.emplace_back(std::string_view(node.name));
    items.emplace_back(std::string_view(node.func_name));
    items.push_back(NewArray(inputs));
    items.push_back(NewArray(outputs));
    nodes.push_back(NewArray(items));
  }
  return NewArray(nodes);
}

Value DescribeHeads(const Graph& graph) {
  std::vector<Value> heads;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const int64_t node = graph.output_nodes[i];
    const int64_t output = graph.outputs[i] - graph.nodes[node].first_output;
    heads.push_back(Pair(Value(node), Value(output)));
  }
  return NewArray(heads);
}

}  // namespace tvmgo
