// SPDX-License-Identifier: Apache-2.0
#include "ffi/time_evaluator.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ffi/module_object.h"
#include "ffi/repeat_timer.h"

namespace tvmgo {
namespace {

struct Evaluator {
  Ref function;
  DLDevice device;
  Timing timing;
};

int Evaluate(void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  return CatchErrors([&] {
    const auto& [function, device, timing] = *static_cast<const Evaluator*>(self);
    const auto run = [&, &function = function](int64_t number) {
      for (int64_t i = 0; i < number; ++i) CallPacked(function, args, num_args);
    };
    SignalPoller signals;
    const std::vector<double> means = TimeRepeats(timing, Stopwatch(device), run, &signals);
    Value::Bytes(std::string_view(reinterpret_cast<const char*>(means.data()),
                                  means.size() * sizeof(double)))
        .MoveTo(result);
  });
}

}  // namespace

Value MakeTimeEvaluator(const CallArgs& args) {
  args.RequireSize(9, 9);
  if (!args.IsFunction(0)) args.Fail(0, "function", "a function");
  const DLDevice device = args.Device(1);
  Timing timing{args.Int(3, "number"), args.Int(4, "repeat")};
  timing.min_repeat_ms = args.Int(5, "min_repeat_ms");
  timing.limit_zero_time_iterations = args.Int(6, "limit_zero_time_iterations");
  timing.cooldown_interval_ms = args.Int(7, "cooldown_interval_ms");
  timing.repeats_to_cooldown = args.Int(8, "repeats_to_cooldown");
  if (timing.number < 1 || timing.repeat < 1 || timing.repeats_to_cooldown < 1) {
    TVM_FFI_THROW(ValueError) << args.function()
                              << ": number, repeat and repeats_to_cooldown must be at least 1";
  }
  return Value(NewFunction(
      std::make_unique<Evaluator>(Evaluator{Ref::Share(args[0].v_obj), device, timing}), Evaluate));
}

}  // namespace tvmgo
