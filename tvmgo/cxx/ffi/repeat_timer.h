// SPDX-License-Identifier: Apache-2.0
//
// Timing something short by repeating it, the way TVM's time evaluators do.
#ifndef TVMGO_CXX_FFI_REPEAT_TIMER_H_
#define TVMGO_CXX_FFI_REPEAT_TIMER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "ffi/ffi.h"
#include "ffi/signal_poller.h"

namespace tvmgo {

// Times the work of one device: what the device was given before is waited for at both ends.
class Stopwatch {
 public:
  explicit Stopwatch(DLDevice device);

  void Start();
  // Seconds since Start.
  double Read() const;
  // Waits for the device.
  void Synchronize() const;

 private:
  DLDevice device_;
  Ref synchronize_;  // none for the CPU, which is never behind
  std::chrono::steady_clock::time_point start_;
};

struct Timing {
  int64_t number;                            // calls per repeat, to begin with
  int64_t repeat;                            // how many means to take
  int64_t min_repeat_ms = 0;                 // `number` grows until a repeat lasts that long ...
  int64_t limit_zero_time_iterations = 100;  // ... or the clock has shown no time that often
  int64_t cooldown_interval_ms = 0;          // sleep that long ...
  int64_t repeats_to_cooldown = 1;           // ... after the first and every so many more repeats
};

// Calls run(n), which does the thing n times, once to warm up and then as told. Returns one mean
// per repeat, in seconds. However long that lasts, what Python raises on a signal ends it.
std::vector<double> TimeRepeats(const Timing& timing, Stopwatch watch,
                                const std::function<void(int64_t)>& run, SignalPoller* signals);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_REPEAT_TIMER_H_
