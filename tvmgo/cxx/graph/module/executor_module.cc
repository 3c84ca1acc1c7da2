// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_module.h"

#include <utility>

#include "ffi/bound_method.h"

namespace tvmgo {
namespace {

class ExecutorModule final : public ModuleImpl {
 public:
  ExecutorModule(std::unique_ptr<GraphState> state, MethodFinder find)
      : state_(std::move(state)), find_(find) {}

  const char* kind() const final { return "GraphExecutor"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final {
    return BindMethod(this, find_(name), self);
  }

  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle) {
    if (method.when == When::kAnytime) return method.call(state_.get(), args);
    const Turn::Busy busy = method.when == When::kNext ? Turn::Busy::kWait : Turn::Busy::kFail;
    const Turn::Hold turn(state_->turn(), method.name, busy);
    return method.call(state_.get(), args);
  }

 private:
  std::unique_ptr<GraphState> state_;
  MethodFinder find_;
};

}  // namespace

Value NewExecutorModule(std::unique_ptr<GraphState> state, MethodFinder find) {
  return Value(NewModule(std::make_unique<ExecutorModule>(std::move(state), find)));
}

}  // namespace tvmgo
