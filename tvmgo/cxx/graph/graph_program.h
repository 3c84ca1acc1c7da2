// SPDX-License-Identifier: Apache-2.0
//
// What never changes about a graph that can be run: the graph itself, its names, where its tensors
// lie, the kernels it calls, the constants linked into its library. Made once, read by any number
// of threads, and held by all states that run it (graph_state.h).
#ifndef TVMGO_CXX_GRAPH_GRAPH_PROGRAM_H_
#define TVMGO_CXX_GRAPH_GRAPH_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ffi/error_context.h"
#include "formats/graph_json.h"
#include "graph/call_sequence.h"
#include "graph/param_set.h"
#include "graph/slot_layout.h"
#include "graph/storage_plan.h"

namespace tvmgo {

// What a program is made of.
struct GraphSetup {
  Graph graph;
  Ref library;                    // a module, or none
  std::vector<DLDevice> devices;  // not empty; the first is for entries that name no other
  Ref lookup_linked_param;        // see linked_params.h; a function, or none
};

class GraphProgram {
 public:
  // Looks up every kernel, so that what can fail fails here.
  explicit GraphProgram(GraphSetup setup);
  GraphProgram(const GraphProgram&) = delete;
  GraphProgram& operator=(const GraphProgram&) = delete;

  const Graph& graph() const { return graph_; }
  size_t num_inputs() const { return graph_.inputs.size(); }
  size_t num_outputs() const { return graph_.outputs.size(); }
  const std::string& input_name(uint32_t index) const {
    return graph_.nodes[graph_.inputs[index]].name;
  }
  const std::string& output_name(uint32_t index) const {
    return graph_.nodes[graph_.output_nodes[index]].name;
  }
  uint32_t input_entry(uint32_t index) const {
    return graph_.nodes[graph_.inputs[index]].first_output;
  }
  uint32_t output_entry(uint32_t index) const { return graph_.outputs[index]; }

  // Positions by name. Inputs: the last of equal names. Outputs: the name of the node (again the
  // last), or "NAME:INDEX" as TVM 0.10 and later write it.
  std::optional<uint32_t> FindInput(std::string_view name) const;
  std::optional<uint32_t> FindOutput(std::string_view name) const;

  // For messages: input "x", output "y".
  ErrorContext InputContext(uint32_t index) const { return {"input", input_name(index)}; }
  ErrorContext OutputContext(uint32_t index) const { return {"output", output_name(index)}; }

  // A tensor like an entry's own, without data; the shape is borrowed.
  DLTensor Prototype(uint32_t entry) const;
  // The device of a node's first output; a node without one counts to the graph's first device.
  DLDevice DeviceOf(uint32_t node) const;

  uint32_t num_pools() const { return static_cast<uint32_t>(plan_.pools.size()); }
  const Pool& pool(uint32_t index) const { return plan_.pools[index]; }
  const StoragePlan& plan() const { return plan_; }
  uint32_t pool_of_entry(uint32_t entry) const { return plan_.pool_of_entry[entry]; }
  // By pool the memory that is linked into the library, or none.
  const std::vector<Ref>& constants() const { return constants_; }
  // Whether the entry's memory must never be written to.
  bool is_constant(uint32_t entry) const {
    return static_cast<bool>(constants_[pool_of_entry(entry)]);
  }
  // Whether states can have the entry's memory in common: nothing but an input lies there.
  bool can_share(uint32_t entry) const {
    return pool(pool_of_entry(entry)).is_one_input && !is_constant(entry);
  }

  // The calls in order, and which cells they take their arguments from.
  const std::vector<KernelCall>& calls() const { return calls_; }
  const SlotLayout& layout() const { return layout_; }
  // The place of a node's call in the list; placeholders and `__nop`s have none.
  std::optional<uint32_t> CallOf(uint32_t node) const;

  // A value for one input, with the input's shape and element type; the data is borrowed.
  struct ParamValue {
    uint32_t input;
    DLTensor value;
  };
  // What a params blob has for this graph; names of no input are skipped. What is linked into the
  // library may be there too, but with the same value only, and is skipped as well. Throws
  // ValueError for a blob that is malformed or does not fit.
  std::vector<ParamValue> ReadParams(std::string_view blob) const;
  // Whether the input is linked into the library with that very value; throws ValueError for
  // another value. The sizes have been compared.
  bool IsLinkedAs(uint32_t index, const DLTensor& value) const;

 private:
  static constexpr uint32_t kNoCall = UINT32_MAX;

  void IndexNames();
  void PrepareNode(const Node& node);
  void JoinNop(const Node& node);
  void RequireWritableOutputs(const Node& node) const;
  Ref PrepareCopy(const Node& node) const;

  Graph graph_;
  Ref library_;  // only held: kernels may refer to its code and data
  DLDevice first_device_;
  StoragePlan plan_;
  std::vector<Ref> constants_;
  SlotLayout layout_;
  std::vector<KernelCall> calls_;
  std::vector<uint32_t> call_of_node_;  // positions in calls_, or kNoCall
  std::unordered_map<std::string, uint32_t> input_index_;
  std::unordered_map<std::string, uint32_t> output_index_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_GRAPH_PROGRAM_H_
