// SPDX-License-Identifier: Apache-2.0
//
// A whole request in one call: inputs in, run, copies of the outputs.
#ifndef TVMGO_CXX_GRAPH_MODULE_RUN_FROM_INPUTS_H_
#define TVMGO_CXX_GRAPH_MODULE_RUN_FROM_INPUTS_H_

#include <optional>
#include <vector>

#include "ffi/call_args.h"
#include "graph/graph_state.h"

namespace tvmgo {

// What a tensor must have in common with the input it is for.
enum class InputRule : uint8_t { kSameSize, kLike };

// Reads [key, tensor,] ... from argument `first` on, up to `last`; the tensors are borrowed.
std::vector<GraphState::InputValue> ReadInputs(const GraphProgram& program, const CallArgs& args,
                                               int32_t first, int32_t last, InputRule rule);

// Sets the inputs that are given from argument `first` on, and runs. Sets all inputs or, when one
// of them does not fit, none. Returns an array of new tensors on `device`, or each on the device of
// the output.
Value RunFromInputs(GraphState* state, const CallArgs& args, int32_t first, InputRule rule,
                    std::optional<DLDevice> device);

// The same with memory for the results: (may copy, whether the memory of outputs matters, [key,
// tensor,] ..., a tensor for each output), all like the graph's own. Large ones that kernels can
// work on are lent for this run, others copied, small ones because that is cheaper. Returns how
// many had to be copied because kernels cannot work on them, or throws if none may be; of outputs
// only if their memory matters.
Value RunInto(GraphState* state, const CallArgs& args);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_RUN_FROM_INPUTS_H_
