// SPDX-License-Identifier: Apache-2.0
#include "graph/graph_state.h"

#include <optional>
#include <string>
#include <utility>

#include "capi/kernel_rules.h"
#include "ffi/containers.h"
#include "ffi/repeat_timer.h"
#include "graph/graph_outline.h"
#include "graph/model_id.h"
#include "graph/param_check.h"
#include "graph/zero_copy_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {

GraphState::GraphState(std::shared_ptr<const GraphProgram> program, const ParamSet& params)
    : program_(std::move(program)),
      slots_(*program_, params),
      calls_(program_->calls(), slots_.cells()),
      is_param_(program_->num_inputs()) {
  for (size_t i = 0; i < params.size(); ++i) is_param_[i] = static_cast<bool>(params[i]);
}

ParamSet GraphState::ShareParams() {
  ParamSet params(program_->num_inputs());
  for (uint32_t i = 0; i < params.size(); ++i) {
    if (is_param_[i]) params[i] = slots_.Share(program_->input_entry(i));
  }
  return params;
}

void GraphState::CheckInput(uint32_t index, const DLTensor& from) const {
  const uint32_t entry = program_->input_entry(index);
  RequireSameSize(program_->InputContext(index), program_->Prototype(entry), from);
  if (program_->is_constant(entry)) {
    TVM_FFI_THROW(ValueError) << program_->InputContext(index)
                              << " is a parameter linked into the library, which cannot be written "
                              << "to; set_input_zero_copy can replace it";
  }
}

void GraphState::SetInput(uint32_t index, const DLTensor& from) {
  CheckInput(index, from);
  WriteInput(index, from, slots_.PrepareOwn(program_->input_entry(index)));
}

void GraphState::SetInputs(const std::vector<InputValue>& values) {
  for (const auto& [index, value] : values) CheckInput(index, value);
  // What can fail comes first: memory, and collecting elements that lie scattered.
  std::vector<TensorSlots::NewOwn> memory;
  std::vector<Ref> collected;
  memory.reserve(values.size());
  collected.reserve(values.size());
  for (const auto& [index, value] : values) {
    memory.push_back(slots_.PrepareOwn(program_->input_entry(index)));
    collected.push_back(TVMGoIsCompact(&value) ? Ref() : CopyToDevice(value, value.device));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const DLTensor& from = collected[i] ? TensorOf(collected[i]) : values[i].value;
    WriteInput(values[i].input, from, std::move(memory[i]));
  }
}

void GraphState::WriteInput(uint32_t index, const DLTensor& from, TensorSlots::NewOwn memory) {
  const uint32_t entry = program_->input_entry(index);
  if (slots_.binding(entry) == Binding::kOutput) {
    CopyTensor(from, TensorOf(slots_.current(entry)));
    return;
  }
  slots_.WriteOwn(entry, from, std::move(memory));
  slots_.Unbind(entry);
  copied_.Forget(entry);
}

void GraphState::CheckInputZeroCopy(uint32_t index, const Ref& tensor) const {
  const uint32_t entry = program_->input_entry(index);
  CheckZeroCopy(program_->InputContext(index), program_->Prototype(entry), TensorOf(tensor),
                "; set_input copies it once, and a GraphModule whose copy is \"auto\" copies it at "
                "the start of every run");
  RequireInputNotOutput(index);
}

void GraphState::RequireInputNotOutput(uint32_t index) const {
  if (slots_.binding(program_->input_entry(index)) != Binding::kOutput) return;
  TVM_FFI_THROW(ValueError) << program_->InputContext(index)
                            << " is also an output, and lent as such by set_output_zero_copy";
}

void GraphState::SetInputZeroCopy(uint32_t index, const Ref& tensor) {
  SetInputsZeroCopy({Loan{index, tensor, false, false}});
}

Ref GraphState::CopyOfLoan(const Loan& loan) const {
  const DLTensor own = program_->Prototype(program_->input_entry(loan.input));
  const DLTensor& tensor = TensorOf(loan.tensor);
  if (!loan.may_copy || IsUsableByKernels(own.device, tensor)) {
    CheckInputZeroCopy(loan.input, loan.tensor);
    return Ref();
  }
  RequireLike(program_->InputContext(loan.input), own, tensor);
  RequireInputNotOutput(loan.input);
  return CopyToDevice(tensor, own.device);
}

void GraphState::SetInputsZeroCopy(const std::vector<Loan>& loans) {
  // What can fail comes first.
  std::vector<Ref> copies;
  std::vector<TensorSlots::ViewsOfGroup> views;
  copies.reserve(loans.size());
  views.reserve(loans.size());
  for (const Loan& loan : loans) {
    copies.push_back(CopyOfLoan(loan));
    views.push_back(slots_.ViewsOn(copies.back() ? copies.back() : loan.tensor,
                                   program_->input_entry(loan.input)));
  }
  copied_.Reserve(loans.size());
  for (size_t i = 0; i < loans.size(); ++i) {
    const uint32_t entry = program_->input_entry(loans[i].input);
    const bool is_copy = static_cast<bool>(copies[i]);
    slots_.Bind(entry, std::move(views[i]), Binding::kInput, loans[i].read_only && !is_copy);
    if (is_copy) {
      copied_.Set(entry, loans[i].tensor, copies[i]);
    } else {
      copied_.Forget(entry);
    }
  }
}

void GraphState::SetOutputZeroCopy(uint32_t index, const Ref& tensor) {
  const uint32_t entry = program_->output_entry(index);
  const ErrorContext what = program_->OutputContext(index);
  CheckZeroCopy(what, program_->Prototype(entry), TensorOf(tensor));
  if (slots_.binding(entry) == Binding::kInput) {
    TVM_FFI_THROW(ValueError) << what << " is also an input, and lent as such by "
                              << "set_input_zero_copy";
  }
  if (program_->is_constant(entry)) {
    TVM_FFI_THROW(ValueError) << what << " is a parameter linked into the library, which no "
                              << "operator writes";
  }
  slots_.Bind(entry, slots_.ViewsOn(tensor, entry), Binding::kOutput, /*read_only=*/false);
}

bool GraphState::TryLend(uint32_t entry, const Ref& tensor, Binding binding) {
  if (slots_.binding(entry) != Binding::kOwn || program_->is_constant(entry)) return false;
  if (!IsUsableByKernels(program_->Prototype(entry).device, TensorOf(tensor))) return false;
  slots_.Bind(entry, slots_.ViewsOn(tensor, entry), binding, binding == Binding::kInput);
  return true;
}

void GraphState::CopyEntry(const ErrorContext& what, uint32_t entry, const DLTensor& to) const {
  const DLTensor& from = TensorOf(slots_.current(entry));
  if (!SameShape(from, to)) {
    TVM_FFI_THROW(ValueError) << what << ": expected a tensor like " << DescribeTensor(from)
                              << ", got " << DescribeTensor(to);
  }
  RequireSameSize(what, from, to);
  CopyTensor(from, to);
}

void GraphState::CopyOutput(uint32_t index, const DLTensor& to) const {
  CopyEntry(program_->OutputContext(index), program_->output_entry(index), to);
}

void GraphState::CopyLike(const ErrorContext& what, uint32_t entry, const DLTensor& to) const {
  const DLTensor& from = TensorOf(slots_.current(entry));
  RequireLike(what, from, to);
  CopyTensor(from, to);
}

void GraphState::LoadParams(std::string_view blob) {
  const std::vector<InputValue> values = program_->ReadParams(blob);
  SetInputs(values);
  for (const InputValue& value : values) is_param_[value.input] = true;
}

void GraphState::SetParam(const std::string& name, const DLTensor& from) {
  RequireSameModel(program_->graph(), name, from);
  const std::optional<uint32_t> index = program_->FindInput(name);
  if (!index || name == kModelIdName) return;
  RequireParam(program_->InputContext(*index), program_->Prototype(program_->input_entry(*index)),
               from, TensorBytes(from));
  if (program_->IsLinkedAs(*index, from)) return;
  SetInput(*index, from);
  is_param_[*index] = true;
}

bool GraphState::IsParam(uint32_t index) const {
  return is_param_[*program_->FindInput(program_->input_name(index))] ||
         program_->is_constant(program_->input_entry(index));
}

void GraphState::RunProfiled() const {
  ProfiledRun run(profiler_.get());
  const auto num_nodes = static_cast<uint32_t>(program_->graph().nodes.size());
  const std::string key =
      std::to_string(reinterpret_cast<uintptr_t>(program_.get())) + ' ' + std::to_string(label_);
  const int64_t first = run.Find(key, num_nodes, program_, [this] {
    std::vector<Value> items;
    items.emplace_back(label_);
    items.push_back(DescribeNodes(program_->graph()));
    return NewArray(items);
  });
  int64_t start = ProfiledRun::Now();
  for (uint32_t node = 0; node < num_nodes; ++node) {
    const auto call = program_->CallOf(node);
    if (!call) continue;
    calls_.RunOne(*call);
    Stopwatch(program_->DeviceOf(node)).Synchronize();
    const int64_t end = ProfiledRun::Now();
    run.Add(first + node, start, end);
    start = end;
  }
}

}  // namespace tvmgo
