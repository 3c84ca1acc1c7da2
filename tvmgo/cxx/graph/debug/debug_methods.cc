// SPDX-License-Identifier: Apache-2.0
//
// Nodes are named by id or by name everywhere, though the reference takes ids
// only in most places.
#include "graph/debug/debug_methods.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "graph/debug/debug_executor.h"
#include "graph/module/executor_methods.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

// Hands a method its executor as what it is.
template <Value (*method)(DebugExecutor*, const CallArgs&)>
Value On(GraphExecutor* executor, const CallArgs& args) {
  return method(static_cast<DebugExecutor*>(executor), args);
}

uint32_t NodeKey(const DebugExecutor& executor, const CallArgs& args) {
  if (!args.IsName(0)) return args.Index(0, "node", executor.num_nodes());
  const std::string_view name = args.Text(0, "node");
  const auto node = executor.FindNode(name);
  if (!node) {
    TVM_FFI_THROW(KeyError) << args.function() << ": argument 0 (node): the graph has no node "
                            << '"' << name << '"';
  }
  return *node;
}

// The entry meant by (node, output).
uint32_t EntryKey(const DebugExecutor& executor, const CallArgs& args) {
  const uint32_t node = NodeKey(executor, args);
  return executor.Entry(node, args.Index(1, "output", executor.graph().nodes[node].num_outputs));
}

Value DebugGetOutput(DebugExecutor* executor, const CallArgs& args) {
  const uint32_t id = NodeKey(*executor, args);
  const Node& node = executor->graph().nodes[id];
  if (node.num_outputs == 0) {
    TVM_FFI_THROW(ValueError) << "debug_get_output: node \"" << node.name << "\" has no outputs";
  }
  executor->RunUpTo(id);
  if (args.size() == 1) return Value(executor->tensor(node.first_output));
  executor->CopyEntry(ErrorContext{"node", node.name}, node.first_output, args.Tensor(1, "out"));
  return Value();
}

Value GetOutputByLayer(DebugExecutor* executor, const CallArgs& args) {
  return Value(executor->tensor(EntryKey(*executor, args)));
}

Value ExecuteNode(DebugExecutor* executor, const CallArgs& args) {
  executor->ExecuteNode(NodeKey(*executor, args));
  return Value();
}

Value Restart(DebugExecutor* executor, const CallArgs&) {
  executor->Restart();
  return Value();
}

Value GetNodeOutput(DebugExecutor* executor, const CallArgs& args) {
  const uint32_t node = NodeKey(*executor, args);
  const uint32_t entry = EntryKey(*executor, args);
  if (executor->last_executed() != node) {
    std::ostringstream last;
    if (executor->last_executed()) {
      last << "node " << *executor->last_executed();
    } else {
      last << "none";
    }
    TVM_FFI_THROW(ValueError) << "get_node_output: argument 0 (node): expected the node last "
                              << "executed by execute_node, which is " << last.str() << ", got "
                              << node;
  }
  const Ref tensor = executor->tensor(entry);
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
Value RunIndividualText(DebugExecutor* executor, const Timing& timing) {
  std::ostringstream text;
  for (uint32_t node = 0; node < executor->num_nodes(); ++node) {
    text << executor->TimeNode(node, timing).back() / executor->text_unit() << ',';
  }
  return Value(std::string_view(text.str()));
}

// The number of nodes as int64, then each node's repeats as float64.
Value RunIndividualBytes(DebugExecutor* executor, const Timing& timing) {
  const int64_t num_nodes = executor->num_nodes();
  std::string bytes(reinterpret_cast<const char*>(&num_nodes), sizeof(num_nodes));
  for (uint32_t node = 0; node < executor->num_nodes(); ++node) {
    AppendBytes(&bytes, executor->TimeNode(node, timing));
  }
  return Value::Bytes(bytes);
}

// The number of arguments tells for which release the caller was written.
Value RunIndividual(DebugExecutor* executor, const CallArgs& args) {
  if (args.size() == 4) {
    TVM_FFI_THROW(TypeError) << "run_individual: expected 3, 5 or 6 arguments, got 4";
  }
  const bool old = args.size() == 3;
  const int64_t num_nodes = std::max<int64_t>(executor->num_nodes(), 1);
  const Timing timing = old ? FirstTimingArgs(args, 0, num_nodes) : TimingArgs(args, 0, num_nodes);
  executor->Run();
  return old ? RunIndividualText(executor, timing) : RunIndividualBytes(executor, timing);
}

Value RunIndividualNode(DebugExecutor* executor, const CallArgs& args) {
  const uint32_t node = NodeKey(*executor, args);
  std::string bytes;
  AppendBytes(&bytes, executor->TimeNode(node, TimingArgs(args, 1, /*num_nodes=*/1)));
  return Value::Bytes(bytes);
}

Value DebugRun(DebugExecutor* executor, const CallArgs& args) {
  return Value(executor->RunTimed(NodeKey(*executor, args)));
}

void RequireNoCollectors(const CallArgs& args) {
  if (args.size() == 0 || args.IsNone(0)) return;
  if (args[0].type_index != kTVMFFIArray) args.Fail(0, "collectors", "an array or None");
  if (Call(GetGlobal("ffi.ArraySize"), args[0]).view().v_int64 != 0) {
    TVM_FFI_THROW(ValueError) << args.function() << ": argument 0 (collectors): expected none, "
                              << "today's runtime has no metric collectors";
  }
}

Value Profile(DebugExecutor* executor, const CallArgs& args) {
  RequireNoCollectors(args);
  return executor->Profile();
}

Value ProfileRPC(DebugExecutor* executor, const CallArgs&) {
  return Call(GetGlobal("ffi.json.Stringify"), executor->Profile().view(), AnyNone());
}

constexpr Method kMethods[] = {
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

}  // namespace

const Method* FindDebugMethod(std::string_view name) {
  const Method* method = FindIn(kMethods, name);
  return method == nullptr ? FindMethod(name) : method;
}

}  // namespace tvmgo
