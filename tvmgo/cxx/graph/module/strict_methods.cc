// SPDX-License-Identifier: Apache-2.0
#include "graph/module/strict_methods.h"

#include "ffi/containers.h"
#include "graph/graph_outline.h"
#include "graph/module/keys.h"
#include "graph/module/run_from_inputs.h"
#include "graph/zero_copy_check.h"
#include "profiling/profiler_module.h"

namespace tvmgo {
namespace {

// None for an input there is not: the function that the type is asked for says so.
Value GetInputType(GraphState* state, const CallArgs& args) {
  const GraphProgram& program = state->program();
  std::optional<uint32_t> index;
  if (args.IsName(0)) {
    index = program.FindInput(args.Text(0, "key"));
  } else if (const int64_t given = args.Int(0, "key");
             given >= 0 && static_cast<uint64_t>(given) < program.num_inputs()) {
    index = static_cast<uint32_t>(given);
  }
  return index ? Value(program.Prototype(program.input_entry(*index)).dtype) : Value();
}

Value SetInput(GraphState* state, const CallArgs& args) {
  state->SetInputs(ReadInputs(state->program(), args, 0, args.size(), InputRule::kLike));
  return Value();
}

// (key, value, read only, may copy) for each of any number of inputs.
Value SetInputZeroCopy(GraphState* state, const CallArgs& args) {
  constexpr int32_t kEach = 4;
  if (args.size() % kEach != 0) args.RequireSize(kEach, kEach);
  std::vector<GraphState::Loan> loans;
  for (int32_t i = 0; i < args.size(); i += kEach) {
    const Ref value = args.TensorObject(i + 1, "value");
    loans.push_back({RequireInput(state->program(), args, i), value,
                     args.Int(i + 2, "read only") != 0, args.Int(i + 3, "may copy") != 0});
  }
  state->SetInputsZeroCopy(loans);
  return Value();
}

Value GetNumCopies(GraphState* state, const CallArgs&) { return Value(state->num_copies()); }

Value SetOutputZeroCopy(GraphState* state, const CallArgs& args) {
  const Ref value = args.TensorObject(1, "value");
  state->SetOutputZeroCopy(RequireOutput(state->program(), args, 0), value);
  return Value();
}

Value GetInput(GraphState* state, const CallArgs& args) {
  const uint32_t index = RequireInput(state->program(), args, 0);
  state->CopyLike({"out: input", state->program().input_name(index)},
                  state->program().input_entry(index), args.Tensor(1, "out"));
  return Value();
}

Value GetOutput(GraphState* state, const CallArgs& args) {
  const uint32_t index = RequireOutput(state->program(), args, 0);
  state->CopyLike({"out: output", state->program().output_name(index)},
                  state->program().output_entry(index), args.Tensor(1, "out"));
  return Value();
}

Value RunFromInputs(GraphState* state, const CallArgs& args) {
  return RunFromInputs(state, args, 0, InputRule::kLike, std::nullopt);
}

// What an entry is: [name, shape, element type, index].
Value Describe(std::string_view name, const Entry& entry, uint32_t index) {
  std::vector<Value> items;
  items.emplace_back(name);
  items.push_back(NewShape(entry.shape));
  items.emplace_back(entry.dtype);
  items.emplace_back(static_cast<int64_t>(index));
  return NewArray(items);
}

// In order, those that are no parameters; the index is what other methods take.
Value DescribeInputs(GraphState* state, const CallArgs&) {
  const GraphProgram& program = state->program();
  std::vector<Value> inputs;
  for (uint32_t i = 0; i < program.num_inputs(); ++i) {
    if (state->IsParam(i)) continue;
    inputs.push_back(
        Describe(program.input_name(i), program.graph().entries[program.input_entry(i)], i));
  }
  return NewArray(inputs);
}

// In order; the name is the node's, and the index that of the node's output.
Value DescribeOutputs(GraphState* state, const CallArgs&) {
  const GraphProgram& program = state->program();
  std::vector<Value> outputs;
  for (uint32_t i = 0; i < program.num_outputs(); ++i) {
    const uint32_t entry = program.output_entry(i);
    const Node& node = program.graph().nodes[program.graph().output_nodes[i]];
    outputs.push_back(
        Describe(node.name, program.graph().entries[entry], entry - node.first_output));
  }
  return NewArray(outputs);
}

// The number of the export, None for a graph that has none.
Value GetModelId(GraphState* state, const CallArgs&) {
  const std::optional<int64_t>& id = state->program().graph().model_id;
  return id ? Value(*id) : Value();
}

// [bytes of all but the parameters, then the name and the bytes of each parameter]: what a state
// has of its own, and what several have in common.
Value CountBytes(GraphState* state, const CallArgs&) {
  const GraphProgram& program = state->program();
  std::vector<bool> is_param(program.num_pools());
  std::vector<Value> counts(1);
  for (uint32_t i = 0; i < program.num_inputs(); ++i) {
    const uint32_t pool = program.pool_of_entry(program.input_entry(i));
    if (!state->IsParam(i) || is_param[pool]) continue;
    is_param[pool] = true;
    counts.emplace_back(std::string_view(program.input_name(i)));
    counts.emplace_back(static_cast<int64_t>(program.pool(pool).nbytes));
  }
  auto others = static_cast<int64_t>(program.plan().block_bytes);
  for (uint32_t i = 0; i < program.num_pools(); ++i) {
    if (is_param[i] || program.pool(i).place) continue;
    others += static_cast<int64_t>(program.pool(i).nbytes);
  }
  counts[0] = Value(others);
  return NewArray(counts);
}

Value SetMaxThreads(GraphState* state, const CallArgs& args) {
  state->set_max_threads(static_cast<int>(args.Int(0, "count")));
  return Value();
}

Value SetProfiler(GraphState* state, const CallArgs& args) {
  state->set_profiler(ProfilerArg(args, 0), args.Int(1, "label"));
  return Value();
}

Value DescribeGraph(GraphState* state, const CallArgs&) {
  std::vector<Value> items;
  items.push_back(DescribeNodes(state->program().graph()));
  items.push_back(DescribeHeads(state->program().graph()));
  return NewArray(items);
}

constexpr Method kMethods[] = {
    {"get_input_type", 1, 1, GetInputType, When::kAnytime},
    {"set_input", 0, kAnyNumber, SetInput},
    {"set_input_zero_copy", 0, kAnyNumber, SetInputZeroCopy},
    {"get_num_copies", 0, 0, GetNumCopies},
    {"set_output_zero_copy", 2, 2, SetOutputZeroCopy},
    {"get_input", 2, 2, GetInput},
    {"get_output", 2, 2, GetOutput},
    {"run_from_inputs", 0, kAnyNumber, RunFromInputs, When::kNext},
    {"try_run_from_inputs", 0, kAnyNumber, RunFromInputs},
    {"describe_inputs", 0, 0, DescribeInputs},
    {"describe_outputs", 0, 0, DescribeOutputs, When::kAnytime},
    {"get_model_id", 0, 0, GetModelId, When::kAnytime},
    {"count_bytes", 0, 0, CountBytes},
    {"run_into", 0, kAnyNumber, RunInto},
    {"set_max_threads", 1, 1, SetMaxThreads},
    {"set_profiler", 2, 2, SetProfiler},
    {"describe_graph", 0, 0, DescribeGraph, When::kAnytime},
};

}  // namespace

const Method* FindStrictMethod(std::string_view name) { return FindIn(kMethods, name); }

std::string_view StrictName(std::string_view name) {
  constexpr std::string_view kPrefix = "strict.";
  return name.substr(0, kPrefix.size()) == kPrefix ? name.substr(kPrefix.size())
                                                   : std::string_view();
}

}  // namespace tvmgo
