// SPDX-License-Identifier: Apache-2.0
//
// Waiting for another thread without going to sleep, which costs more than a short kernel takes.
#ifndef TVMGO_CXX_PARALLEL_SPIN_H_
#define TVMGO_CXX_PARALLEL_SPIN_H_

#include <chrono>

namespace tvmgo::parallel {

// Tells the CPU that it is in such a loop.
inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// Whether `ready` came true within `time`. Does not offer the CPU to others meanwhile: on a busy
// machine they would keep it for longer than many kernels take.
template <typename Ready>
bool SpinUntil(Ready ready, std::chrono::microseconds time) {
  constexpr int kLooksPerClock = 64;
  std::chrono::steady_clock::time_point end{};
  while (true) {
    for (int i = 0; i < kLooksPerClock; ++i) {
      if (ready()) return true;
      Pause();
    }
    const auto now = std::chrono::steady_clock::now();
    if (end.time_since_epoch().count() == 0) end = now + time;
    if (now >= end) return false;
  }
}

}  // namespace tvmgo::parallel

#endif  // TVMGO_CXX_PARALLEL_SPIN_H_
