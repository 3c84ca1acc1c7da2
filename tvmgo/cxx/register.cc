// SPDX-License-Identifier: Apache-2.0
#include "register.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ffi/bound_method.h"
#include "ffi/containers.h"
#include "ffi/forks.h"
#include "ffi/globals.h"
#include "ffi/module_object.h"
#include "ffi/one_thread.h"
#include "ffi/time_evaluator.h"
#include "formats/params_blob.h"
#include "graph/module/executor_factory.h"
#include "graph/module/executor_module.h"
#include "graph/module/executor_variants.h"
#include "graph/module/program_module.h"
#include "profiling/profiler_module.h"

namespace tvmgo {
namespace {

// A library is a module, or None when the global functions are all the kernels there are.
Ref LibraryArg(const CallArgs& args) { return args.IsNone(1) ? Ref() : args.Module(1, "library"); }

// As in TVM 0.2-0.19; a Device object is not accepted here.
GraphSetup SetupFrom(const CallArgs& args) {
  if (args.size() < 4) {
    TVM_FFI_THROW(TypeError) << args.function() << ": the number of arguments must be at least 4, "
                             << "but it has " << args.size();
  }
  const bool has_lookup = args.IsFunction(2);
  GraphSetup setup;
  setup.graph = ParseGraph(args.Text(0, "graph JSON"));
  setup.library = LibraryArg(args);
  if (has_lookup) setup.lookup_linked_param = Ref::Share(args[2].v_obj);
  setup.devices = args.DevicePairs(has_lookup ? 3 : 2);
  return setup;
}

template <const Variant& variant>
Value Create(const CallArgs& args) {
  return NewExecutorModule(variant.make(SetupFrom(args)), variant.find);
}

Value CreateCudaGraph(const CallArgs& args) {
  SetupFrom(args);
  RefuseCudaGraph();
}

Value CreateProgram(const CallArgs& args) {
  return NewProgramModule(std::make_shared<const GraphProgram>(SetupFrom(args)));
}

Value CreateFactory(const CallArgs& args) {
  args.RequireSize(3, kAnyNumber);
  const Ref library = LibraryArg(args);
  std::vector<FactoryParam> params;
  for (int32_t i = 3; i < args.size(); i += 2) {
    if (i + 1 == args.size()) {
      TVM_FFI_THROW(TypeError) << args.function() << ": argument " << i
                               << " (parameter name) has no tensor after it";
    }
    params.push_back(FactoryParam{std::string(args.Text(i, "parameter name")),
                                  args.TensorObject(i + 1, "parameter")});
  }
  Ref factory = NewExecutorFactory(std::string(args.Text(0, "graph JSON")), std::move(params),
                                   std::string(args.Text(2, "model name")));
  if (library) ImportModule(factory, library);
  return Value(std::move(factory));
}

// What our exporter writes between parameters, so that kernels can read them where they lie.
constexpr std::string_view kPadding = "tvmgo_padding_";

Value ParamsOf(const CallArgs& args) {
  args.RequireSize(1, 1);
  std::vector<Value> members;
  const std::string_view blob = args.Text(0, "params_bytes");
  for (const auto& [name, param] : ParseParams(blob, TensorUse::kTodaysTensor)) {
    if (name.substr(0, kPadding.size()) == kPadding) continue;
    members.emplace_back(name);
    members.emplace_back(NewTensor(param));
  }
  return NewMap(members);
}

constexpr GlobalFunction kGlobals[] = {
    {"tvm.graph_executor.create", Create<kPlainVariant>},
    {"tvm.graph_executor_debug.create", Create<kDebugVariant>},
    {"tvm.graph_executor_cuda_graph.create", CreateCudaGraph},
    {"tvm.graph_executor_factory.create", CreateFactory},
    {"tvm.graph_runtime.create", Create<kPlainVariant>},
    {"tvm.graph_runtime_debug.create", Create<kRuntimeDebugVariant>},
    {"tvm.graph_runtime_factory.create", CreateFactory},
    {"tvmgo.forks_await_machine_memory", ForksAwaitMachineMemory},
    {"tvmgo.graph_program.create", CreateProgram},
    {"tvmgo.one_thread_at_a_time", OneThreadAtATime},
    {"tvmgo.parse_params", ParamsOf},
    {"tvmgo.profiler.create", NewProfiler},
    {"tvmgo.time_evaluator", MakeTimeEvaluator},
};

}  // namespace
}  // namespace tvmgo

int TVMGoRegisterGraphExecutor(void) {
  return tvmgo::CatchErrors([] { tvmgo::RegisterGlobals(tvmgo::kGlobals); });
}
