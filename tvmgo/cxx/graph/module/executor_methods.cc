// SPDX-License-Identifier: Apache-2.0
//
// Names that a graph does not know are treated as TVM 0.7 and later do:
// setting is silently skipped, getting yields None.
#include "graph/module/executor_methods.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ffi/containers.h"
#include "ffi/module_object.h"
#include "formats/params_blob.h"
#include "graph/module/executor_module.h"
#include "graph/module/keys.h"
#include "graph/module/run_from_inputs.h"
#include "graph/module/strict_methods.h"

namespace tvmgo {
namespace {

Value SetInput(GraphState* state, const CallArgs& args) {
  const DLTensor& value = args.Tensor(1, "value");
  if (const auto index = InputKey(state->program(), args, 0)) state->SetInput(*index, value);
  return Value();
}

Value SetInputZeroCopy(GraphState* state, const CallArgs& args) {
  const Ref value = args.TensorObject(1, "value");
  if (const auto index = InputKey(state->program(), args, 0))
    state->SetInputZeroCopy(*index, value);
  return Value();
}

Value SetOutputZeroCopy(GraphState* state, const CallArgs& args) {
  const Ref value = args.TensorObject(1, "value");
  if (const auto index = OutputKey(state->program(), args, 0))
    state->SetOutputZeroCopy(*index, value);
  return Value();
}

Value GetInput(GraphState* state, const CallArgs& args) {
  const auto index = InputKey(state->program(), args, 0);
  return index ? Value(state->input(*index)) : Value();
}

Value GetOutput(GraphState* state, const CallArgs& args) {
  const auto index = OutputKey(state->program(), args, 0);
  if (!index) {
    const std::string_view name = args.Text(0, "key");
    TVM_FFI_THROW(KeyError) << "Invalid output node:" << name
                            << OutputsThereAre(state->program(), name);
  }
  if (args.size() == 1) return Value(state->output(*index));
  state->CopyOutput(*index, args.Tensor(1, "out"));
  return Value();
}

Value GetNumInputs(GraphState* state, const CallArgs&) {
  return Value(static_cast<int64_t>(state->program().num_inputs()));
}

Value GetNumOutputs(GraphState* state, const CallArgs&) {
  return Value(static_cast<int64_t>(state->program().num_outputs()));
}

Value GetInputIndex(GraphState* state, const CallArgs& args) {
  if (!args.IsName(0)) args.Fail(0, "name", "a string (Input key is not a string)");
  const auto index = state->program().FindInput(args.Text(0, "name"));
  return Value(index ? static_cast<int64_t>(*index) : int64_t{-1});
}

// Collects {"shape": {name: shape}, "dtype": {name: string as in the file}}.
class TensorInfo {
 public:
  void Add(std::string_view name, const Entry& entry) {
    shapes_.emplace_back(name);
    shapes_.push_back(NewShape(entry.shape));
    dtypes_.emplace_back(name);
    dtypes_.emplace_back(std::string_view(entry.dtype_name));
  }

  Value ToMap() const {
    std::vector<Value> members;
    members.emplace_back(std::string_view("shape"));
    members.push_back(NewMap(shapes_));
    members.emplace_back(std::string_view("dtype"));
    members.push_back(NewMap(dtypes_));
    return NewMap(members);
  }

 private:
  std::vector<Value> shapes_;  // name, shape, name, shape, ...
  std::vector<Value> dtypes_;
};

Value GetInputInfo(GraphState* state, const CallArgs&) {
  TensorInfo info;
  for (uint32_t i = 0; i < state->program().num_inputs(); ++i) {
    if (state->IsParam(i)) continue;
    info.Add(state->program().input_name(i),
             state->program().graph().entries[state->program().input_entry(i)]);
  }
  return info.ToMap();
}

Value GetOutputInfo(GraphState* state, const CallArgs&) {
  TensorInfo info;
  for (uint32_t i = 0; i < state->program().num_outputs(); ++i) {
    info.Add(state->program().output_name(i),
             state->program().graph().entries[state->program().output_entry(i)]);
  }
  return info.ToMap();
}

Value Run(GraphState* state, const CallArgs&) {
  state->Run();
  return Value();
}

Value LoadParams(GraphState* state, const CallArgs& args) {
  state->LoadParams(args.Text(0, "params"));
  return Value();
}

// Reads the other executor through its module functions, so it need not be one of ours. The
// reference refuses to share a tensor twice, because it would strand earlier holders; here sharing
// is zero-copy from the other's tensor, which strands nobody.
Value ShareParams(GraphState* state, const CallArgs& args) {
  const Ref other = args.Module(0, "other");
  const Value kind = Call(GetGlobal("ffi.ModuleGetKind"), AnyObject(other.get()));
  const std::string_view kind_name = TextOf(kind.view());
  const Ref get_input = FunctionOf(other, "get_input", /*query_imports=*/false);
  if ((kind_name != "GraphExecutor" && kind_name != "GraphRuntime") || !get_input) {
    TVM_FFI_THROW(TypeError) << "share_params: argument 0 (other): expected a graph executor, got "
                             << "a module of kind " << kind_name;
  }
  std::vector<std::pair<uint32_t, Ref>> shared;
  for (std::string_view name : ParseParamNames(args.Text(1, "params"))) {
    const auto index = state->program().FindInput(name);
    if (!index) continue;
    Value tensor = Call(get_input, Value(name).view());
    if (tensor.view().type_index != kTVMFFITensor) {
      TVM_FFI_THROW(KeyError) << "share_params: the other executor has no input \"" << name << "\"";
    }
    shared.emplace_back(*index, tensor.TakeObject());
    state->CheckInputZeroCopy(*index, shared.back().second);
  }
  for (const auto& [index, tensor] : shared) state->SetInputZeroCopy(index, tensor);
  return Value();
}

Value RunFromInputs(GraphState* state, const CallArgs& args) {
  return RunFromInputs(state, args, 2, InputRule::kSameSize, args.Device(0));
}

Value Clone(GraphState* state, const CallArgs&) {
  return NewExecutorModule(state->Clone(), FindMethod);
}

constexpr Method kMethods[] = {
    {"run", 0, kAnyNumber, Run},
    {"set_input", 2, 2, SetInput},
    {"get_output", 1, 2, GetOutput},
    {"get_input", 1, 1, GetInput},
    {"load_params", 1, 1, LoadParams},
    {"get_num_inputs", 0, 0, GetNumInputs, When::kAnytime},
    {"get_num_outputs", 0, 0, GetNumOutputs, When::kAnytime},
    {"get_input_index", 1, 1, GetInputIndex, When::kAnytime},
    {"get_input_info", 0, 0, GetInputInfo},
    {"get_output_info", 0, 0, GetOutputInfo, When::kAnytime},
    {"set_input_zero_copy", 2, 2, SetInputZeroCopy},
    {"set_output_zero_copy", 2, 2, SetOutputZeroCopy},
    {"share_params", 2, 2, ShareParams},
    {"run_from_inputs", 2, kAnyNumber, RunFromInputs, When::kNext},
    {"try_run_from_inputs", 2, kAnyNumber, RunFromInputs},
    {"clone", 0, 0, Clone},
};

}  // namespace

const Method* FindMethod(std::string_view name) {
  const std::string_view strict = StrictName(name);
  return strict.empty() ? FindIn(kMethods, name) : FindStrictMethod(strict);
}

}  // namespace tvmgo
