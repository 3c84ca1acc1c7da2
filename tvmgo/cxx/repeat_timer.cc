// SPDX-License-Identifier: Apache-2.0
//
// See repeat_timer.h.
#include "repeat_timer.h"

#include <algorithm>
#include <thread>

namespace tvmgo {
namespace {

// Where the reference would overflow.
constexpr double kMaxNumber = 1e12;

int64_t LargerNumber(int64_t number, double seconds, double wanted_seconds) {
  const auto before = static_cast<double>(number);
  const double enough = wanted_seconds / (seconds / before) + 1;
  return static_cast<int64_t>(std::min(std::max(enough, before * 1.618), kMaxNumber));
}

}  // namespace

Stopwatch::Stopwatch(DLDevice device) : device_(device) {
  if (device.device_type == kDLCPU) return;
  synchronize_ = FindGlobal("runtime.Device_StreamSync");
  if (!synchronize_) {
    TVM_FFI_THROW(RuntimeError) << "timing work on device type " << device.device_type
                                << " needs libtvm_runtime, which is not loaded";
  }
}

void Stopwatch::Start() {
  Synchronize();
  start_ = std::chrono::steady_clock::now();
}

double Stopwatch::Read() const {
  Synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Stopwatch::Synchronize() const {
  if (synchronize_) Call(synchronize_, AnyDevice(device_), AnyInt(0));  // the default stream
}

std::vector<double> TimeRepeats(const Timing& timing, Stopwatch watch,
                                const std::function<void(int64_t)>& run) {
  const double wanted_seconds = static_cast<double>(timing.min_repeat_ms) / 1e3;
  int64_t number = timing.number;
  std::vector<double> means;
  run(1);
  for (int64_t i = 0; i < timing.repeat; ++i) {
    double seconds = 0;
    int64_t zero_readings = 0;
    while (true) {
      watch.Start();
      run(number);
      seconds = watch.Read();
      zero_readings += seconds == 0;
      if (seconds >= wanted_seconds || zero_readings >= timing.limit_zero_time_iterations) break;
      if (seconds > 0) number = LargerNumber(number, seconds, wanted_seconds);
    }
    means.push_back(seconds / static_cast<double>(number));
    if (timing.cooldown_interval_ms > 0 && i % timing.repeats_to_cooldown == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(timing.cooldown_interval_ms));
    }
  }
  return means;
}

}  // namespace tvmgo
