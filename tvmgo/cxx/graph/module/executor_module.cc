// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_module.h"

#include <atomic>
#include <utility>

#include "ffi/bound_method.h"

namespace tvmgo {
namespace {

// The right to use the executor for one call. Overlap can come from a second thread or from a
// kernel that calls back into its own executor; neither could be served by waiting.
class BusyGuard {
 public:
  BusyGuard(std::atomic<bool>* busy, const char* method) : busy_(busy) {
    if (busy_->exchange(true, std::memory_order_acquire)) {
      TVM_FFI_THROW(RuntimeError) << method << ": the graph executor is busy with another call; it "
                                  << "serves one thread at a time and no callbacks";
    }
  }
  ~BusyGuard() { busy_->store(false, std::memory_order_release); }
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;

 private:
  std::atomic<bool>* busy_;
};

class ExecutorModule final : public ModuleImpl {
 public:
  ExecutorModule(std::unique_ptr<GraphExecutor> executor, MethodFinder find)
      : executor_(std::move(executor)), find_(find) {}

  const char* kind() const final { return "GraphExecutor"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final {
    return BindMethod(this, find_(name), self);
  }

  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle) {
    const BusyGuard guard(&busy_, method.name);
    return method.call(executor_.get(), args);
  }

 private:
  std::unique_ptr<GraphExecutor> executor_;
  MethodFinder find_;
  std::atomic<bool> busy_{false};
};

}  // namespace

Value NewExecutorModule(std::unique_ptr<GraphExecutor> executor, MethodFinder find) {
  return Value(NewModule(std::make_unique<ExecutorModule>(std::move(executor), find)));
}

}  // namespace tvmgo
