// SPDX-License-Identifier: Apache-2.0
#include "graph/module/run_from_inputs.h"

#include "ffi/containers.h"
#include "graph/module/keys.h"
#include "graph/zero_copy_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {

std::vector<GraphState::InputValue> ReadInputs(const GraphProgram& program, const CallArgs& args,
                                               int32_t first, InputRule rule) {
  if ((args.size() - first) % 2 != 0) {
    TVM_FFI_THROW(TypeError) << args.function() << ": expected a key and a tensor for each input, "
                             << "got a key without a tensor";
  }
  std::vector<GraphState::InputValue> inputs;
  inputs.reserve((args.size() - first) / 2);
  for (int32_t i = first; i < args.size(); i += 2) {
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
  state->SetInputs(ReadInputs(program, args, first, rule));
  state->Run();
  std::vector<Value> outputs;
  outputs.reserve(program.num_outputs());
  for (uint32_t i = 0; i < program.num_outputs(); ++i) {
    const DLTensor& output = TensorOf(state->current(program.output_entry(i)));
    outputs.emplace_back(CopyToDevice(output, device.value_or(output.device)));
  }
  return NewArray(outputs);
}

}  // namespace tvmgo
