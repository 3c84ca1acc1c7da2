// SPDX-License-Identifier: Apache-2.0
#include "ffi/repeat_timer.h"

#include <algorithm>
#include <thread>

namespace tvmgo {
namespace {

using Clock = std::chrono::steady_clock;

// Calls run(n) in pieces, which grow until they last long enough for a look in between.
void RunInPieces(int64_t number, const std::function<void(int64_t)>& run, SignalPoller* signals) {
  int64_t piece = 1;
  for (int64_t left = number; left > 0;) {
    run(piece);
    left -= piece;
    if (!signals->Poll() && piece <= left / 2) piece *= 2;
    piece = std::min(piece, left);
  }
}

void Sleep(int64_t milliseconds, SignalPoller* signals) {
  constexpr int64_t kPiece = 100;
  for (int64_t left = milliseconds; left > 0; left -= kPiece) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left, kPiece)));
    signals->Poll();
  }
}

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
  start_ = Clock::now();
}

double Stopwatch::Read() const {
  Synchronize();
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Stopwatch::Synchronize() const {
  if (synchronize_) Call(synchronize_, AnyDevice(device_), AnyInt(0));  // the default stream
}

std::vector<double> TimeRepeats(const Timing& timing, Stopwatch watch,
                                const std::function<void(int64_t)>& run, SignalPoller* signals) {
  const double wanted_seconds = static_cast<double>(timing.min_repeat_ms) / 1e3;
  int64_t number = timing.number;
  std::vector<double> means;
  run(1);
  for (int64_t i = 0; i < timing.repeat; ++i) {
    double seconds = 0;
    int64_t zero_readings = 0;
    while (true) {
      watch.Start();
      RunInPieces(number, run, signals);
      seconds = watch.Read();
      zero_readings += seconds == 0;
      if (seconds >= wanted_seconds || zero_readings >= timing.limit_zero_time_iterations) break;
      if (seconds > 0) number = LargerNumber(number, seconds, wanted_seconds);
    }
    means.push_back(seconds / static_cast<double>(number));
    if (timing.cooldown_interval_ms > 0 && i % timing.repeats_to_cooldown == 0) {
      Sleep(timing.cooldown_interval_ms, signals);
    }
    signals->Poll();
  }
  return means;
}

}  // namespace tvmgo
