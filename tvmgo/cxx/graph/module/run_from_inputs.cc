// SPDX-License-Identifier: Apache-2.0
#include "graph/module/run_from_inputs.h"

#include "ffi/bound_method.h"
#include "ffi/containers.h"
#include "graph/module/keys.h"
#include "graph/zero_copy_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

// To lend a tensor costs as much as to copy so many bytes.
constexpr size_t kWorthLending = 16 << 10;

// What the caller has lent goes back to him after the run, however it ends.
class LentForOneRun {
 public:
  explicit LentForOneRun(GraphState* state, size_t capacity) : state_(state) {
    entries_.reserve(capacity);
  }
  LentForOneRun(const LentForOneRun&) = delete;
  LentForOneRun& operator=(const LentForOneRun&) = delete;
  ~LentForOneRun() {
    for (uint32_t entry : entries_) state_->TakeBack(entry);
  }

  bool Lend(uint32_t entry, const CallArgs& args, int32_t i, Binding binding) {
    if (TensorBytes(args.Tensor(i, "tensor")) < kWorthLending) return false;
    if (!state_->TryLend(entry, args.TensorObject(i, "tensor"), binding)) return false;
    entries_.push_back(entry);
    return true;
  }

 private:
  GraphState* state_;
  std::vector<uint32_t> entries_;
};

}  // namespace

std::vector<GraphState::InputValue> ReadInputs(const GraphProgram& program, const CallArgs& args,
                                               int32_t first, int32_t last, InputRule rule) {
  if ((last - first) % 2 != 0) {
    TVM_FFI_THROW(TypeError) << args.function() << ": expected a key and a tensor for each input, "
                             << "got a key without a tensor";
  }
  std::vector<GraphState::InputValue> inputs;
  inputs.reserve((last - first) / 2);
  for (int32_t i = first; i < last; i += 2) {
    const uint32_t index = RequireInput(program, args, i);
    const DLTensor& value = args.Tensor(i + 1, "value");
    if (rule == InputRule::kLike) {
      const DLTensor own = program.Prototype(program.input_entry(index));
      RequireLike(program.InputContext(index), own, value);
    }
    inputs.push_back({index, value});
  }
  return inputs;
}

Value RunFromInputs(GraphState* state, const CallArgs& args, int32_t first, InputRule rule,
                    std::optional<DLDevice> device) {
  const GraphProgram& program = state->program();
  state->SetInputs(ReadInputs(program, args, first, args.size(), rule));
  state->Run();
  std::vector<Value> outputs;
  outputs.reserve(program.num_outputs());
  for (uint32_t i = 0; i < program.num_outputs(); ++i) {
    const DLTensor& output = TensorOf(state->current(program.output_entry(i)));
    outputs.emplace_back(CopyToDevice(output, device.value_or(output.device)));
  }
  return NewArray(outputs);
}

Value RunInto(GraphState* state, const CallArgs& args) {
  constexpr int32_t kFirstInput = 2;
  const GraphProgram& program = state->program();
  const auto num_outputs = static_cast<int32_t>(program.num_outputs());
  args.RequireSize(kFirstInput + num_outputs, kAnyNumber);
  const int32_t first_output = args.size() - num_outputs;
  const std::vector<GraphState::InputValue> inputs =
      ReadInputs(program, args, kFirstInput, first_output, InputRule::kLike);
  const bool may_copy = args.Int(0, "may copy") != 0;
  int64_t needed = 0;
  const auto look_at = [&](const ErrorContext& what, uint32_t entry, const DLTensor& tensor) {
    const DLDevice device = program.Prototype(entry).device;
    if (!may_copy) RequireUsableByKernels(what, device, tensor);
    if (!IsUsableByKernels(device, tensor)) ++needed;
  };
  for (const auto& [index, value] : inputs) {
    look_at(program.InputContext(index), program.input_entry(index), value);
  }
  const bool outputs_matter = args.Int(1, "whether the memory of outputs matters") != 0;
  for (int32_t i = 0; i < num_outputs; ++i) {
    const DLTensor& output = args.Tensor(first_output + i, "output");
    const uint32_t entry = program.output_entry(i);
    RequireLike(program.OutputContext(i), program.Prototype(entry), output);
    if (outputs_matter) look_at(program.OutputContext(i), entry, output);
  }

  LentForOneRun lent(state, inputs.size() + num_outputs);
  std::vector<GraphState::InputValue> copied;
  copied.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const uint32_t entry = program.input_entry(inputs[i].input);
    const int32_t argument = kFirstInput + 2 * static_cast<int32_t>(i) + 1;
    if (!lent.Lend(entry, args, argument, Binding::kInput)) copied.push_back(inputs[i]);
  }
  state->SetInputs(copied);
  std::vector<int32_t> to_copy;
  to_copy.reserve(num_outputs);
  for (int32_t i = 0; i < num_outputs; ++i) {
    if (!lent.Lend(program.output_entry(i), args, first_output + i, Binding::kOutput)) {
      to_copy.push_back(i);
    }
  }
  state->Run();
  for (int32_t i : to_copy) {
    state->CopyLike(program.OutputContext(i), program.output_entry(i),
                    args.Tensor(first_output + i, "output"));
  }
  return Value(needed);
}

}  // namespace tvmgo
