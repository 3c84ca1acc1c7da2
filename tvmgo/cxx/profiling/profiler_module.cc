// SPDX-License-Identifier: Apache-2.0
#include "profiling/profiler_module.h"

#include <string>
#include <utility>
#include <vector>

#include "ffi/bound_method.h"
#include "ffi/containers.h"
#include "profiling/machine_run.h"

namespace tvmgo {
namespace {

class ProfilerModule final : public ModuleImpl {
 public:
  const char* kind() const final { return "Profiler"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final;

  const std::shared_ptr<Profiler>& profiler() const { return profiler_; }

  struct Method {
    const char* name;
    int32_t min_args, max_args;
    Value (*call)(Profiler* profiler, const CallArgs& args);
  };
  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle) {
    return method.call(profiler_.get(), args);
  }

 private:
  std::shared_ptr<Profiler> profiler_ = std::make_shared<Profiler>();
};

Value Start(Profiler* profiler, const CallArgs& args) {
  profiler->Start(args.Int(0, "most calls"));
  return Value();
}

Value Stop(Profiler* profiler, const CallArgs&) { return profiler->Stop(); }

Value Abandon(Profiler* profiler, const CallArgs&) {
  profiler->Abandon();
  return Value();
}

Value IsOn(Profiler* profiler, const CallArgs&) { return Value(int64_t{profiler->is_on()}); }

constexpr ProfilerModule::Method kMethods[] = {
    {"start", 1, 1, Start},
    {"stop", 0, 0, Stop},
    {"abandon", 0, 0, Abandon},
    {"is_on", 0, 0, IsOn},
    {"run", 1, kAnyNumber, RunOfMachine},
    {"instrument", 4, kAnyNumber, InstrumentOfMachine},
};

Ref ProfilerModule::GetFunction(const std::string& name, TVMFFIObjectHandle self) {
  return BindMethod(this, FindIn(kMethods, name), self);
}

}  // namespace

Value NewProfiler(const CallArgs& args) {
  args.RequireSize(0, 0);
  return Value(NewModule(std::make_unique<ProfilerModule>()));
}

std::shared_ptr<Profiler> ProfilerArg(const CallArgs& args, int32_t i) {
  const Ref module = args.Module(i, "profiler");
  const auto* impl = dynamic_cast<const ProfilerModule*>(ImplOf(module));
  if (impl == nullptr) args.Fail(i, "profiler", "what tvmgo.profiler.create has made");
  return impl->profiler();
}

}  // namespace tvmgo
