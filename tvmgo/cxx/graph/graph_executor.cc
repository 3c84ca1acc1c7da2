// SPDX-License-Identifier: Apache-2.0
#include "graph/graph_executor.h"

#include <cstring>
#include <utility>

#include "formats/params_blob.h"
#include "graph/lend_check.h"
#include "graph/linked_params.h"
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

GraphExecutor::GraphExecutor(GraphSetup setup)
    : graph_(std::move(setup.graph)),
      library_(std::move(setup.library)),
      first_device_(setup.devices[0]),
      plan_(PlanStorage(graph_, setup.devices)),
      slots_(graph_, plan_,
             FindLinkedParams(graph_, plan_, library_, setup.lookup_linked_param, first_device_)) {
  IndexNames();
  for (const Node& node : graph_.nodes) {
    const uint32_t before = calls_.size();
    if (node.is_op) PrepareNode(node);
    call_of_node_.push_back(calls_.size() == before ? kNoCall : before);
  }
  calls_.Bind(slots_.cells());
}

void GraphExecutor::IndexNames() {
  for (uint32_t i = 0; i < num_inputs(); ++i) input_index_[input_name(i)] = i;
  for (uint32_t i = 0; i < num_outputs(); ++i) {
    output_index_[output_name(i) + ":" + std::to_string(i)] = i;
  }
  for (uint32_t i = 0; i < num_outputs(); ++i) output_index_[output_name(i)] = i;
}

void GraphExecutor::PrepareNode(const Node& node) {
  if (node.func_name == "__nop") return JoinNop(node);
  RequireWritableOutputs(node);
  Ref kernel = node.func_name == "__copy" ? PrepareCopy(node) : GetKernel(library_, node.func_name);
  const uint32_t first_cell = slots_.num_cells();
  for (uint32_t entry : node.inputs) slots_.AddCell(entry, node.flatten_data);
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    slots_.AddCell(node.first_output + i, node.flatten_data);
  }
  calls_.Add(std::move(kernel), first_cell, slots_.num_cells() - first_cell);
}

// A `__nop` computes nothing, so what it promises must already be there: its output is one of its
// inputs in another shape.
void GraphExecutor::JoinNop(const Node& node) {
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    const uint32_t output = node.first_output + i;
    std::optional<uint32_t> source;
    for (uint32_t input : node.inputs) {
      if (plan_.pool_of_entry[input] == plan_.pool_of_entry[output]) source = input;
    }
    if (!source) {
      TVM_FFI_THROW(ValueError) << NodeContext(node)
                                << ": a __nop must share storage with an input, "
                                << "but none has storage id " << graph_.entries[output].storage_id;
    }
    RequireSameSize(NodeContext(node), TensorOf(slots_.own(*source)), TensorOf(slots_.own(output)));
    slots_.Join(*source, output);
  }
}

void GraphExecutor::RequireWritableOutputs(const Node& node) const {
  for (uint32_t i = 0; i < node.num_outputs; ++i) {
    const uint32_t entry = node.first_output + i;
    if (!slots_.is_constant(entry)) continue;
    TVM_FFI_THROW(ValueError) << NodeContext(node) << ": writes to storage id "
                              << graph_.entries[entry].storage_id
                              << ", which is a parameter linked into the library";
  }
}

Ref GraphExecutor::PrepareCopy(const Node& node) const {
  if (node.inputs.size() != 1 || node.num_outputs != 1) {
    TVM_FFI_THROW(ValueError) << NodeContext(node) << ": expected one input and one output of a "
                              << "__copy, got " << node.inputs.size() << " and "
                              << node.num_outputs;
  }
  const DLTensor& from = TensorOf(slots_.own(node.inputs[0]));
  const DLTensor& to = TensorOf(slots_.own(node.first_output));
  RequireSameSize(NodeContext(node), to, from);
  if (from.device.device_type != kDLCPU || to.device.device_type != kDLCPU) {
    return RuntimeCopyFunction();
  }
  TVMFFIObjectHandle kernel = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionCreate(nullptr, CopyOnCPUKernel, nullptr, &kernel));
  return Ref::Steal(kernel);
}

std::optional<uint32_t> GraphExecutor::FindInput(std::string_view name) const {
  const auto found = input_index_.find(std::string(name));
  if (found == input_index_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint32_t> GraphExecutor::FindOutput(std::string_view name) const {
  const auto found = output_index_.find(std::string(name));
  if (found == output_index_.end()) return std::nullopt;
  return found->second;
}

Ref GraphExecutor::tensor(uint32_t entry) const {
  const Ref& shown = slots_.current(entry);
  if (!slots_.is_constant(entry) || slots_.lender(entry) != Lender::kNobody) return shown;
  return CopyToDevice(TensorOf(shown), TensorOf(shown).device);
}

DLDevice GraphExecutor::DeviceOf(uint32_t node) const {
  const Node& described = graph_.nodes[node];
  if (described.num_outputs == 0) return first_device_;
  return TensorOf(slots_.own(described.first_output)).device;
}

void GraphExecutor::CheckInput(uint32_t index, const DLTensor& from) const {
  const uint32_t entry = input_entry(index);
  RequireSameSize(InputContext(index), TensorOf(slots_.own(entry)), from);
  if (slots_.is_constant(entry)) {
    TVM_FFI_THROW(ValueError) << InputContext(index) << " is a parameter linked into the library, "
                              << "which cannot be written to; set_input_zero_copy can replace it";
  }
}

void GraphExecutor::SetInput(uint32_t index, const DLTensor& from) {
  CheckInput(index, from);
  const uint32_t entry = input_entry(index);
  if (slots_.lender(entry) == Lender::kOutput) {
    CopyTensor(from, TensorOf(slots_.current(entry)));
    return;
  }
  CopyTensor(from, TensorOf(slots_.own(entry)));
  slots_.Restore(entry);
}

void GraphExecutor::CheckInputZeroCopy(uint32_t index, const Ref& tensor) const {
  const uint32_t entry = input_entry(index);
  CheckLendable(InputContext(index), TensorOf(slots_.own(entry)), TensorOf(tensor));
  if (slots_.lender(entry) == Lender::kOutput) {
    TVM_FFI_THROW(ValueError) << InputContext(index) << " is also an output, and lent as such by "
                              << "set_output_zero_copy";
  }
}

void GraphExecutor::SetInputZeroCopy(uint32_t index, const Ref& tensor) {
  CheckInputZeroCopy(index, tensor);
  slots_.Lend(input_entry(index), tensor, Lender::kInput);
}

void GraphExecutor::SetOutputZeroCopy(uint32_t index, const Ref& tensor) {
  const uint32_t entry = graph_.outputs[index];
  CheckLendable(OutputContext(index), TensorOf(slots_.own(entry)), TensorOf(tensor));
  if (slots_.lender(entry) == Lender::kInput) {
    TVM_FFI_THROW(ValueError) << OutputContext(index) << " is also an input, and lent as such by "
                              << "set_input_zero_copy";
  }
  if (slots_.is_constant(entry)) {
    TVM_FFI_THROW(ValueError) << OutputContext(index) << " is a parameter linked into the library, "
                              << "which no operator writes";
  }
  slots_.Lend(entry, tensor, Lender::kOutput);
}

void GraphExecutor::CopyEntry(const ErrorContext& what, uint32_t entry, const DLTensor& to) const {
  const DLTensor& from = TensorOf(slots_.current(entry));
  if (!SameShape(from, to)) {
    TVM_FFI_THROW(ValueError) << what << ": expected a tensor like " << DescribeTensor(from)
                              << ", got " << DescribeTensor(to);
  }
  RequireSameSize(what, from, to);
  CopyTensor(from, to);
}

void GraphExecutor::CopyOutput(uint32_t index, const DLTensor& to) const {
  CopyEntry(OutputContext(index), graph_.outputs[index], to);
}

void GraphExecutor::LoadParams(std::string_view blob) {
  const std::vector<Param> params = ParseParams(blob);
  std::vector<std::pair<uint32_t, DLTensor>> copies;
  for (const Param& param : params) {
    const std::optional<uint32_t> index = FindInput(param.name);
    if (!index) continue;
    DLTensor from = TensorOf(slots_.own(input_entry(*index)));  // the blob's own shape is moot
    if (TensorBytes(from) != param.data.size()) {
      TVM_FFI_THROW(ValueError) << InputContext(*index) << ": expected " << TensorBytes(from)
                                << " bytes (" << DescribeTensor(from) << "), got "
                                << param.data.size()
                                << " bytes of parameters. The size must exactly match";
    }
    from.data = const_cast<char*>(param.data.data());
    from.byte_offset = 0;
    from.device = DLDevice{kDLCPU, 0};
    if (!IsLinkedAs(*index, from)) copies.emplace_back(*index, from);
  }
  for (const auto& [index, from] : copies) SetInput(index, from);
  for (const Param& param : params) param_names_.emplace(param.name);
}

void GraphExecutor::SetParam(const std::string& name, const DLTensor& from) {
  if (const std::optional<uint32_t> index = FindInput(name)) {
    RequireSameSize(InputContext(*index), TensorOf(slots_.own(input_entry(*index))), from);
    if (!IsLinkedAs(*index, from)) SetInput(*index, from);
  }
  param_names_.insert(name);
}

// Whether the input is linked into the library with that very value; throws for another value.
// The sizes have been compared.
bool GraphExecutor::IsLinkedAs(uint32_t index, const DLTensor& from) const {
  const uint32_t entry = input_entry(index);
  if (!slots_.is_constant(entry)) return false;
  constexpr DLDevice kHost = {kDLCPU, 0};
  const Ref linked = CopyToDevice(TensorOf(slots_.own(entry)), kHost);
  const Ref given = CopyToDevice(from, kHost);
  if (std::memcmp(TensorData(TensorOf(linked)), TensorData(TensorOf(given)), TensorBytes(from)) !=
      0) {
    TVM_FFI_THROW(ValueError) << InputContext(index) << " is linked into the library with another "
                              << "value, which cannot be changed";
  }
  return true;
}

}  // namespace tvmgo
