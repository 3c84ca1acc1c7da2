// SPDX-License-Identifier: Apache-2.0
//
// The classic graph executor: a static graph of kernels over planned memory. This class is the
// behaviour; executor_module.cc makes it a module of the runtime.
//
// One executor serves one thread at a time. The module refuses overlapping calls with an error, so
// neither a second thread nor a kernel that calls back can corrupt anything, but it does not wait:
// give each thread an executor of its own.
#ifndef TVMGO_CXX_GRAPH_GRAPH_EXECUTOR_H_
#define TVMGO_CXX_GRAPH_GRAPH_EXECUTOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ffi/error_context.h"
#include "formats/graph_json.h"
#include "graph/call_sequence.h"
#include "graph/kernel_lookup.h"
#include "graph/storage_plan.h"
#include "graph/tensor_slots.h"

namespace tvmgo {

// What an executor is made of.
struct GraphSetup {
  Graph graph;
  Ref library;                    // a module, or none
  std::vector<DLDevice> devices;  // not empty; the first is for entries that name no other
  Ref lookup_linked_param;        // see linked_params.h; a function, or none
};

class GraphExecutor {
 public:
  // Looks up every kernel and allocates all memory, so that what can fail fails here.
  explicit GraphExecutor(GraphSetup setup);
  GraphExecutor(const GraphExecutor&) = delete;
  virtual ~GraphExecutor() = default;

  size_t num_inputs() const { return graph_.inputs.size(); }
  size_t num_outputs() const { return graph_.outputs.size(); }

  // Positions by name. Inputs: the last of equal names. Outputs: the name of the node (again the
  // last), or "NAME:INDEX" as TVM 0.10 and later write it.
  std::optional<uint32_t> FindInput(std::string_view name) const;
  std::optional<uint32_t> FindOutput(std::string_view name) const;

  // The live tensor, overwritten by the next run; the user's own after zero-copy. Of constant
  // memory a copy, because nothing keeps a holder from writing to what he holds.
  Ref tensor(uint32_t entry) const;
  Ref input(uint32_t index) const { return tensor(input_entry(index)); }
  Ref output(uint32_t index) const { return tensor(graph_.outputs[index]); }

  // Copies into an input; only the sizes in bytes must agree. After SetInputZeroCopy it goes back
  // to the executor's own memory. An input that is lent out as an output is written there, and one
  // that is linked into the library cannot be written to.
  void SetInput(uint32_t index, const DLTensor& from);
  // Throws what SetInput would throw before it copies.
  void CheckInput(uint32_t index, const DLTensor& from) const;
  // Makes the graph read from, or write to, the user's tensor, which is kept alive. Tensors joined
  // by `__nop`, or one that is input and output at once, can be lent from one side only.
  void SetInputZeroCopy(uint32_t index, const Ref& tensor);
  void CheckInputZeroCopy(uint32_t index, const Ref& tensor) const;
  void SetOutputZeroCopy(uint32_t index, const Ref& tensor);
  // Copies an entry, or an output, into a tensor of the same shape.
  void CopyEntry(const ErrorContext& what, uint32_t entry, const DLTensor& to) const;
  void CopyOutput(uint32_t index, const DLTensor& to) const;

  // Copies the parameters of a blob into the inputs of the same name, and skips the others.
  // All or nothing: a blob that is malformed or does not fit changes nothing.
  // What is linked into the library already may be loaded again, but with the same value only.
  void LoadParams(std::string_view blob);
  // The same for one parameter.
  void SetParam(const std::string& name, const DLTensor& from);

  void Run() { calls_.Run(); }

  const Graph& graph() const { return graph_; }
  uint32_t input_entry(uint32_t index) const {
    return graph_.nodes[graph_.inputs[index]].first_output;
  }
  const std::string& input_name(uint32_t index) const {
    return graph_.nodes[graph_.inputs[index]].name;
  }
  const std::string& output_name(uint32_t index) const {
    return graph_.nodes[graph_.output_nodes[index]].name;
  }
  // Whether it was given as a parameter, or is linked into the library.
  bool IsParam(uint32_t index) const {
    return param_names_.count(input_name(index)) != 0 || slots_.is_constant(input_entry(index));
  }

 protected:
  // Runs one node; placeholders and `__nop`s do nothing.
  void RunNode(uint32_t node) const {
    if (HasCall(node)) calls_.RunOne(call_of_node_[node]);
  }
  bool HasCall(uint32_t node) const { return call_of_node_[node] != kNoCall; }
  // The device of a node's first output; a node without one counts to the graph's first device.
  DLDevice DeviceOf(uint32_t node) const;
  const Ref& current(uint32_t entry) const { return slots_.current(entry); }

 private:
  static constexpr uint32_t kNoCall = UINT32_MAX;

  ErrorContext InputContext(uint32_t index) const { return {"input", input_name(index)}; }
  ErrorContext OutputContext(uint32_t index) const { return {"output", output_name(index)}; }

  void IndexNames();
  void PrepareNode(const Node& node);
  void JoinNop(const Node& node);
  void RequireWritableOutputs(const Node& node) const;
  Ref PrepareCopy(const Node& node) const;
  bool IsLinkedAs(uint32_t index, const DLTensor& from) const;

  Graph graph_;
  Ref library_;  // only held: kernels may refer to its code and data
  DLDevice first_device_;
  StoragePlan plan_;
  TensorSlots slots_;
  CallSequence calls_;
  std::vector<uint32_t> call_of_node_;  // positions in calls_, or kNoCall
  std::unordered_map<std::string, uint32_t> input_index_;
  std::unordered_map<std::string, uint32_t> output_index_;
  std::unordered_set<std::string> param_names_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_GRAPH_EXECUTOR_H_
