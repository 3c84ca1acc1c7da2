// SPDX-License-Identifier: Apache-2.0
//
// Nodes are named by id or by name everywhere, though the reference takes ids
// only in most places.
#include "graph/debug/debug_methods.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "ffi/near_names.h"
#include "graph/debug/debug_state.h"
#include "graph/module/executor_methods.h"
#include "graph/module/executor_module.h"
#include "graph/module/strict_methods.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

// Hands a method its state as what it is.
template <Value (*method)(DebugState*, const CallArgs&)>
Value On(GraphState* state, const CallArgs& args) {
  return method(static_cast<DebugState*>(state), args);
}

uint32_t NodeKey(const DebugState& state, const CallArgs& args) {
  if (!args.IsName(0)) return args.Index(0, "node", state.num_nodes());
  const std::string_view name = args.Text(0, "node");
  const auto node = state.FindNode(name);
  if (!node) {
    std::vector<std::string_view> names;
    for (const Node& there : state.program().graph().nodes) names.push_back(there.name);
    TVM_FFI_THROW(KeyError) << args.function() << ": argument 0 (node): the graph has no node "
                            << '"' << name << '"' << NamesThereAre(name, names);
  }
  return *node;
}

// The entry meant by (node, output).
uint32_t EntryKey(const DebugState& state, const CallArgs& args) {
  const uint32_t node = NodeKey(state, args);
  return state.Entry(node,
                     args.Index(1, "output", state.program().graph().nodes[node].num_outputs));
}

// Runs up to a node that has an output.
const Node& RunUpToNode(DebugState* state, const CallArgs& args) {
  const uint32_t id = NodeKey(*state, args);
  const Node& node = state->program().graph().nodes[id];
  if (node.num_outputs == 0) {
    TVM_FFI_THROW(ValueError) << "debug_get_output: node \"" << node.name << "\" has no outputs";
  }
  state->RunUpTo(id);
  return node;
}

Value DebugGetOutput(DebugState* state, const CallArgs& args) {
  const Node& node = RunUpToNode(state, args);
  if (args.size() == 1) return Value(state->tensor(node.first_output));
  state->CopyEntry(ErrorContext{"node", node.name}, node.first_output, args.Tensor(1, "out"));
  return Value();
}

Value DebugGetOutputLike(DebugState* state, const CallArgs& args) {
  const DLTensor& out = args.Tensor(1, "out");
  const Node& node = RunUpToNode(state, args);
  state->CopyLike({"out: node", node.name}, node.first_output, out);
  return Value();
}

Value GetOutputByLayer(DebugState* state, const CallArgs& args) {
  return Value(state->tensor(EntryKey(*state, args)));
}

Value ExecuteNode(DebugState* state, const CallArgs& args) {
  state->ExecuteNode(NodeKey(*state, args));
  return Value();
}

Value Restart(DebugState* state, const CallArgs&) {
  state->Restart();
  return Value();
}

Value GetNodeOutput(DebugState* state, const CallArgs& args) {
  const uint32_t node = NodeKey(*state, args);
  const uint32_t entry = EntryKey(*state, args);
  if (state->last_executed() != node) {
    std::ostringstream last;
    if (state->last_executed()) {
      last << "node " << *state->last_executed();
    } else {
      last << "none";
    }
    TVM_FFI_THROW(ValueError) << "get_node_output: argument 0 (node): expected the node last "
                              << "executed by execute_node, which is " << last.str() << ", got "
                              << node;
  }
  const Ref tensor = state->tensor(entry);
  return Value(CopyToDevice(TensorOf(tensor), DLDevice{kDLCPU, 0}));
}

int64_t IntFrom(const CallArgs& args, int32_t i, const char* name, int64_t min) {
  const int64_t number = args.Int(i, name);
  if (number < min) {
    TVM_FFI_THROW(ValueError) << args.function() << ": argument " << i << " (" << name
                              << "): expected an integer from " << min << ", got " << number;
  }
  return number;
}

// All means of a call are held at the same time.
int64_t RepeatFrom(const CallArgs& args, int32_t i, int64_t num_nodes) {
  constexpr int64_t kMaxMeans = int64_t{1} << 24;
  const int64_t repeat = IntFrom(args, i, "repeat", 1);
  if (repeat > kMaxMeans / num_nodes) {
    TVM_FFI_THROW(ValueError) << args.function() << ": argument " << i << " (repeat): expected at "
                              << "most " << kMaxMeans / num_nodes << ", so that all means can be "
                              << "held in memory, got " << repeat;
  }
  return repeat;
}

// number, repeat, min_repeat_ms: all that TVM 0.6-0.8 knew.
Timing FirstTimingArgs(const CallArgs& args, int32_t first, int64_t num_nodes) {
  Timing timing{IntFrom(args, first, "number", 1), RepeatFrom(args, first + 1, num_nodes)};
  timing.min_repeat_ms = IntFrom(args, first + 2, "min_repeat_ms", 0);
  return timing;
}

// The same and limit_zero_time_iterations (not known to TVM 0.9), cooldown_interval_ms,
// repeats_to_cooldown.
Timing TimingArgs(const CallArgs& args, int32_t first, int64_t num_nodes) {
  Timing timing = FirstTimingArgs(args, first, num_nodes);
  int32_t next = first + 3;
  if (args.size() == first + 6) {
    timing.limit_zero_time_iterations = IntFrom(args, next++, "limit_zero_time_iterations", 0);
  }
  timing.cooldown_interval_ms = IntFrom(args, next++, "cooldown_interval_ms", 0);
  timing.repeats_to_cooldown = IntFrom(args, next, "repeats_to_cooldown", 1);
  return timing;
}

void AppendBytes(std::string* bytes, const std::vector<double>& numbers) {
  bytes->append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
}

// The last repeat of each node, as text: "0,0,1.5e-07,".
Value RunIndividualText(DebugState* state, const Timing& timing) {
  SignalPoller signals;
  std::ostringstream text;
  for (uint32_t node = 0; node < state->num_nodes(); ++node) {
    text << state->TimeNode(node, timing, &signals).back() / state->text_unit() << ',';
  }
  return Value(std::string_view(text.str()));
}

// The number of nodes as int64, then each node's repeats as float64.
Value RunIndividualBytes(DebugState* state, const Timing& timing) {
  const int64_t num_nodes = state->num_nodes();
  std::string bytes(reinterpret_cast<const char*>(&num_nodes), sizeof(num_nodes));
  SignalPoller signals;
  for (uint32_t node = 0; node < state->num_nodes(); ++node) {
    AppendBytes(&bytes, state->TimeNode(node, timing, &signals));
  }
  return Value::Bytes(bytes);
}

// The number of arguments tells for which release the caller was written.
Value RunIndividual(DebugState* state, const CallArgs& args) {
  if (args.size() == 4) {
    TVM_FFI_THROW(TypeError) << "run_individual: expected 3, 5 or 6 arguments, got 4";
  }
  const bool old = args.size() == 3;
  const int64_t num_nodes = std::max<int64_t>(state->num_nodes(), 1);
  const Timing timing = old ? FirstTimingArgs(args, 0, num_nodes) : TimingArgs(args, 0, num_nodes);
  state->Run();
  return old ? RunIndividualText(state, timing) : RunIndividualBytes(state, timing);
}

Value RunIndividualNode(DebugState* state, const CallArgs& args) {
  const uint32_t node = NodeKey(*state, args);
  SignalPoller signals;
  std::string bytes;
  AppendBytes(&bytes, state->TimeNode(node, TimingArgs(args, 1, /*num_nodes=*/1), &signals));
  return Value::Bytes(bytes);
}

Value DebugRun(DebugState* state, const CallArgs& args) {
  return Value(state->RunTimed(NodeKey(*state, args)));
}

void RequireNoCollectors(const CallArgs& args) {
  if (args.size() == 0 || args.IsNone(0)) return;
  if (args[0].type_index != kTVMFFIArray) args.Fail(0, "collectors", "an array or None");
  if (Call(GetGlobal("ffi.ArraySize"), args[0]).view().v_int64 != 0) {
    TVM_FFI_THROW(ValueError) << args.function() << ": argument 0 (collectors): expected none, "
                              << "today's runtime has no metric collectors";
  }
}

Value Profile(DebugState* state, const CallArgs& args) {
  RequireNoCollectors(args);
  return state->Profile();
}

Value ProfileRPC(DebugState* state, const CallArgs&) {
  return Call(GetGlobal("ffi.json.Stringify"), state->Profile().view(), AnyNone());
}

Value Clone(DebugState* state, const CallArgs&) {
  return NewExecutorModule(state->Clone(), FindDebugMethod);
}

constexpr Method kMethods[] = {
    {"clone", 0, 0, On<Clone>},
    {"debug_get_output", 1, 2, On<DebugGetOutput>},
    {"debug_run", 1, 1, On<DebugRun>},
    {"get_output_by_layer", 2, 2, On<GetOutputByLayer>},
    {"execute_node", 1, 1, On<ExecuteNode>},
    {"restart", 0, 0, On<Restart>},
    {"get_node_output", 2, 2, On<GetNodeOutput>},
    {"run_individual", 3, 6, On<RunIndividual>},
    {"run_individual_node", 6, 7, On<RunIndividualNode>},
    {"profile", 0, 1, On<Profile>},
    {"profile_rpc", 0, 0, On<ProfileRPC>},
};

// See strict_methods.h.
constexpr Method kStrictMethods[] = {
    {"debug_get_output", 2, 2, On<DebugGetOutputLike>},
};

}  // namespace

const Method* FindDebugMethod(std::string_view name) {
  const std::string_view strict = StrictName(name);
  const Method* method = strict.empty() ? FindIn(kMethods, name) : FindIn(kStrictMethods, strict);
  return method == nullptr ? FindMethod(name) : method;
}

}  // namespace tvmgo
