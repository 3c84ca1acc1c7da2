// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_module.h"

#include <atomic>
#include <utility>

#include "ffi/module_object.h"

namespace tvmgo {
namespace {

class ExecutorModule final : public Behaviour {
 public:
  ExecutorModule(std::unique_ptr<GraphExecutor> executor, MethodFinder find)
      : executor_(std::move(executor)), find_(find) {}

  const char* kind() const final { return "GraphExecutor"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final;

 private:
  struct BoundMethod;
  class Turn;

  std::unique_ptr<GraphExecutor> executor_;
  MethodFinder find_;
  std::atomic<bool> busy_{false};
};

// The right to use the executor for one call. Overlap can come from a second thread or from a
// kernel that calls back into its own executor; neither could be served by waiting.
class ExecutorModule::Turn {
 public:
  Turn(ExecutorModule* module, const char* method) : busy_(module->busy_) {
    if (busy_.exchange(true, std::memory_order_acquire)) {
      TVM_FFI_THROW(RuntimeError) << method << ": the graph executor is busy with another call; it "
                                  << "serves one thread at a time and no callbacks";
    }
  }
  ~Turn() { busy_.store(false, std::memory_order_release); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<bool>& busy_;
};

// What one function object of the module holds.
struct ExecutorModule::BoundMethod {
  Ref keep_alive;  // the module, for as long as the function lives
  ExecutorModule* module;
  const Method* method;

  static int Call(void* self, const TVMFFIAny* packed, int32_t num_args, TVMFFIAny* result) {
    return CatchErrors([=] {
      const auto* bound = static_cast<const BoundMethod*>(self);
      const Method& method = *bound->method;
      const CallArgs args(method.name, packed, num_args);
      args.RequireSize(method.min_args, method.max_args);
      const Turn turn(bound->module, method.name);
      method.call(bound->module->executor_.get(), args).MoveTo(result);
    });
  }
};

Ref ExecutorModule::GetFunction(const std::string& name, TVMFFIObjectHandle self) {
  const Method* method = find_(name);
  if (method == nullptr) return Ref();
  return NewFunction(std::make_unique<BoundMethod>(BoundMethod{Ref::Share(self), this, method}),
                     BoundMethod::Call);
}

}  // namespace

Value NewExecutorModule(std::unique_ptr<GraphExecutor> executor, MethodFinder find) {
  return Value(NewModule(std::make_unique<ExecutorModule>(std::move(executor), find)));
}

}  // namespace tvmgo
