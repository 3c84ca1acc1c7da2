// SPDX-License-Identifier: Apache-2.0
#include "graph/module/program_module.h"

#include <mutex>
#include <utility>

#include "ffi/bound_method.h"
#include "graph/graph_state.h"
#include "graph/module/executor_methods.h"
#include "graph/module/executor_module.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

class ProgramModule final : public ModuleImpl {
 public:
  explicit ProgramModule(std::shared_ptr<const GraphProgram> program)
      : program_(std::move(program)), params_(program_->num_inputs()) {}

  const char* kind() const final { return "GraphProgram"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final;

  struct Method {
    const char* name;
    int32_t min_args, max_args;
    Value (ProgramModule::*call)(const CallArgs& args);
  };
  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle) {
    return (this->*method.call)(args);
  }

 private:
  static const Method kMethods[];

  Value CreateState(const CallArgs& args);
  Value LoadParams(const CallArgs& args);

  std::shared_ptr<const GraphProgram> program_;
  std::mutex mutex_;  // nothing foreign runs under it
  ParamSet params_;   // guarded by mutex_
};

const ProgramModule::Method ProgramModule::kMethods[] = {
    {"create_state", 0, 0, &ProgramModule::CreateState},
    {"load_params", 1, 1, &ProgramModule::LoadParams},
};

Ref ProgramModule::GetFunction(const std::string& name, TVMFFIObjectHandle self) {
  return BindMethod(this, FindIn(kMethods, name), self);
}

Value ProgramModule::CreateState(const CallArgs&) {
  ParamSet params;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    params = params_;
  }
  return NewExecutorModule(std::make_unique<GraphState>(program_, params), FindMethod);
}

Value ProgramModule::LoadParams(const CallArgs& args) {
  ParamSet loaded(program_->num_inputs());
  for (const auto& [input, value] : program_->ReadParams(args.Text(0, "params"))) {
    const DLDevice device = program_->Prototype(program_->input_entry(input)).device;
    loaded[input] = CopyToDevice(value, device);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i]) std::swap(params_[i], loaded[i]);  // the old ones go after the lock
  }
  return Value();
}

}  // namespace

Value NewProgramModule(std::shared_ptr<const GraphProgram> program) {
  return Value(NewModule(std::make_unique<ProgramModule>(std::move(program))));
}

}  // namespace tvmgo
