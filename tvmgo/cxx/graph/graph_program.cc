// SPDX-License-Identifier: Apache-2.0
#include "graph/graph_program.h"

#include <cstring>
#include <utility>

#include "formats/params_blob.h"
#include "graph/kernel_lookup.h"
#include "graph/linked_params.h"
#include "graph/model_id.h"
#include "graph/param_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

// The kernel of `__copy` between two CPU tensors.
int CopyOnCPUKernel(void*, const TVMFFIAny* args, int32_t, TVMFFIAny*) {
  return CatchErrors([args] {
    CopyTensor(*TVMFFITensorGetDLTensorPtr(args[0].v_obj),
               *TVMFFITensorGetDLTensorPtr(args[1].v_obj));
  });
}

ErrorContext NodeContext(const Node& node) { return {"graph JSON: node", node.name}; }

}  // namespace

GraphProgram::GraphProgram(GraphSetup setup)
    : graph_(std::move(setup.graph)),
      library_(OfSameModel(graph_, std::move(setup.library))),
      first_device_(setup.devices[0]),
      plan_(PlanStorage(graph_, setup.devices)),
      constants_(
          FindLinkedParams(graph_, plan_, library_, setup.lookup_linked_param, first_device_)),
      layout_(static_cast<uint32_t>(graph_.entries.size())) {
  IndexNames();
  for (const Node& node : graph_.nodes) {
    const auto before = static_cast<uint32_t>(calls_.size());
    if (node.is_op) PrepareNode(node);
    call_of_node_.push_back(calls_.size() == before ? kNoCall : before);
  }
}

void GraphProgram::IndexNames() {
  for (uint32_t i = 0; i < num_inputs(); ++i) input_index_[input_name(i)] = i;
  for (uint32_t i = 0; i < num_outputs(); ++i) {
    output_index_[output_name(i) + ":" + std::to_string(i)] = i;
  }
  for (uint32_t i = 0; i < num_outputs(); ++i) output_index_[output_name(i)] = i;
}

void GraphProgram::PrepareNode(const Node& node) {
  if (node.func_name == "__nop") return JoinNop(node);
  RequireWritableOutputs(node);
  KernelCall call;
  call.kernel =
      node.func_name == "__copy" ? PrepareCopy(node) : GetKernel(library_, node.func_name);
  call.first_cell = layout_.num_cells();
  for (uint32_t entry : node.inputs) layout_.AddCell(entry, node.flatten_data);
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    layout_.AddCell(node.first_output + i, node.flatten_data);
  }
  call.num_args = static_cast<int32_t>(layout_.num_cells() - call.first_cell);
  calls_.push_back(std::move(call));
}

// A `__nop` computes nothing, so what it promises must already be there: its output is one of its
// inputs in another shape.
void GraphProgram::JoinNop(const Node& node) {
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    const uint32_t output = node.first_output + i;
    std::optional<uint32_t> source;
    for (uint32_t input : node.inputs) {
      if (pool_of_entry(input) == pool_of_entry(output)) source = input;
    }
    if (!source) {
      TVM_FFI_THROW(ValueError) << NodeContext(node) << ": a __nop must share storage with an "
                                << "input, but none has storage id "
                                << graph_.entries[output].storage_id;
    }
    RequireSameSize(NodeContext(node), Prototype(*source), Prototype(output));
    layout_.Join(*source, output);
  }
}

void GraphProgram::RequireWritableOutputs(const Node& node) const {
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    const uint32_t entry = node.first_output + i;
    if (!is_constant(entry)) continue;
    TVM_FFI_THROW(ValueError) << NodeContext(node) << ": writes to storage id "
                              << graph_.entries[entry].storage_id
                              << ", which is a parameter linked into the library";
  }
}

Ref GraphProgram::PrepareCopy(const Node& node) const {
  if (node.inputs.size() != 1 || node.num_outputs != 1) {
    TVM_FFI_THROW(ValueError) << NodeContext(node) << ": expected one input and one output of a "
                              << "__copy, got " << node.inputs.size() << " and "
                              << node.num_outputs;
  }
  const DLTensor from = Prototype(node.inputs[0]);
  const DLTensor to = Prototype(node.first_output);
  RequireSameSize(NodeContext(node), to, from);
  if (from.device.device_type != kDLCPU || to.device.device_type != kDLCPU) {
    return RuntimeCopyFunction();
  }
  TVMFFIObjectHandle kernel = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionCreate(nullptr, CopyOnCPUKernel, nullptr, &kernel));
  return Ref::Steal(kernel);
}

std::optional<uint32_t> GraphProgram::FindInput(std::string_view name) const {
  const auto found = input_index_.find(std::string(name));
  if (found == input_index_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint32_t> GraphProgram::FindOutput(std::string_view name) const {
  const auto found = output_index_.find(std::string(name));
  if (found == output_index_.end()) return std::nullopt;
  return found->second;
}

DLTensor GraphProgram::Prototype(uint32_t entry) const {
  const Entry& described = graph_.entries[entry];
  const Ref& constant = constants_[pool_of_entry(entry)];
  DLTensor prototype{};
  prototype.device = constant ? TensorOf(constant).device : pool(pool_of_entry(entry)).device;
  prototype.ndim = static_cast<int32_t>(described.shape.size());
  prototype.dtype = described.dtype;
  prototype.shape = const_cast<int64_t*>(described.shape.data());
  return prototype;
}

DLDevice GraphProgram::DeviceOf(uint32_t node) const {
  const Node& described = graph_.nodes[node];
  return described.num_outputs == 0 ? first_device_ : Prototype(described.first_output).device;
}

std::optional<uint32_t> GraphProgram::CallOf(uint32_t node) const {
  if (call_of_node_[node] == kNoCall) return std::nullopt;
  return call_of_node_[node];
}

std::vector<GraphProgram::ParamValue> GraphProgram::ReadParams(std::string_view blob) const {
  std::vector<ParamValue> values;
  const std::vector<NamedTensor> params = ParseParams(blob, TensorUse::kBytes);
  RequireSameModel(graph_, params);
  for (const auto& [name, param] : params) {
    const std::optional<uint32_t> index = FindInput(name);
    if (!index || name == kModelIdName) continue;
    DLTensor value = Prototype(input_entry(*index));
    DLTensor written{};
    written.ndim = static_cast<int32_t>(param.shape.size());
    written.dtype = param.dtype;
    written.shape = const_cast<int64_t*>(param.shape.data());
    RequireParam(InputContext(*index), value, written, param.data.size());
    value.data = const_cast<char*>(param.data.data());
    value.device = DLDevice{kDLCPU, 0};
    if (!IsLinkedAs(*index, value)) values.push_back(ParamValue{*index, value});
  }
  return values;
}

bool GraphProgram::IsLinkedAs(uint32_t index, const DLTensor& value) const {
  const uint32_t entry = input_entry(index);
  if (!is_constant(entry)) return false;
  constexpr DLDevice kHost = {kDLCPU, 0};
  const Entry& described = graph_.entries[entry];
  const Ref constant =
      ViewTensor(constants_[pool_of_entry(entry)], described.shape, described.dtype);
  const Ref linked = CopyToDevice(TensorOf(constant), kHost);
  const Ref given = CopyToDevice(value, kHost);
  if (std::memcmp(TensorData(TensorOf(linked)), TensorData(TensorOf(given)), TensorBytes(value)) !=
      0) {
    TVM_FFI_THROW(ValueError) << InputContext(index) << " is linked into the library with another "
                              << "value, which cannot be changed";
  }
  return true;
}

}  // namespace tvmgo
