// SPDX-License-Identifier: Apache-2.0
#include "profiling/machine_run.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffi/containers.h"
#include "tensor/tensor_make.h"

namespace tvmgo {
namespace {

constexpr std::string_view kBuiltins = "vm.builtin.";
constexpr int64_t kMostOperations = 20000;  // further ones are told apart by names alone
constexpr int32_t kFirst = 4;               // argument of the function itself

// A run of a machine on this thread, and the calls in it that have not returned.
class MachineRun {
 public:
  explicit MachineRun(Profiler* profiler) : run_(profiler), outer_(current) { current = this; }
  MachineRun(const MachineRun&) = delete;
  MachineRun& operator=(const MachineRun&) = delete;
  ~MachineRun() { current = outer_; }

  static thread_local MachineRun* current;

  void Begin(const CallArgs& args) {
    const int64_t operation = OperationOf(args);
    open_.push_back({operation, ProfiledRun::Now(), 0});
  }

  void End() {
    const int64_t end = ProfiledRun::Now();
    if (open_.empty()) return;
    const Open call = open_.back();
    open_.pop_back();
    run_.Add(call.operation, call.start, end, call.elsewhere);
    if (!open_.empty()) open_.back().elsewhere += end - call.start;
  }

 private:
  struct Open {
    int64_t operation, start, elsewhere;
  };

  // By its name and, if it is a kernel, by what its arguments are like.
  int64_t OperationOf(const CallArgs& args) {
    const std::string_view name = args.Text(1, "name");
    std::vector<const DLTensor*> tensors;
    const bool is_builtin = name.substr(0, kBuiltins.size()) == kBuiltins;
    if (!is_builtin && run_.num_operations() < kMostOperations) {
      for (int32_t i = kFirst; i < args.size(); ++i) {
        if (args[i].type_index == kTVMFFITensor) tensors.push_back(&args.Tensor(i, "argument"));
      }
    }
    std::string key(name);
    for (const DLTensor* tensor : tensors) {
      key.append(1, '\0');
      key.append(reinterpret_cast<const char*>(&tensor->dtype), sizeof(tensor->dtype));
      key.append(reinterpret_cast<const char*>(tensor->shape), tensor->ndim * sizeof(int64_t));
    }
    return run_.Find(std::move(key), 1, nullptr, [&] {
      std::vector<Value> shapes;
      for (const DLTensor* tensor : tensors) {
        const Shape shape(tensor->shape, tensor->shape + tensor->ndim);
        shapes.push_back(NewArrayOf(NewShape(shape), Value(tensor->dtype)));
      }
      return NewArrayOf(Value(name), NewArray(shapes));
    });
  }

  template <typename... Values>
  static Value NewArrayOf(Values... values) {
    std::vector<Value> items;
    (items.push_back(std::move(values)), ...);
    return NewArray(items);
  }

  ProfiledRun run_;
  MachineRun* outer_;
  std::vector<Open> open_;
};

thread_local MachineRun* MachineRun::current = nullptr;

}  // namespace

Value RunOfMachine(Profiler* profiler, const CallArgs& args) {
  if (!args.IsFunction(0)) args.Fail(0, "function", "a function");
  const MachineRun run(profiler);
  return CallPacked(Ref::Share(args[0].v_obj), &args[0] + 1, args.size() - 1);
}

Value InstrumentOfMachine(Profiler*, const CallArgs& args) {
  if (MachineRun* run = MachineRun::current) {
    if (args[2].v_int64 != 0) {
      run->Begin(args);
    } else {
      run->End();
    }
  }
  return Value(int64_t{0});
}

}  // namespace tvmgo
