// SPDX-License-Identifier: Apache-2.0
//
// Lets Python answer signals, such as the user's Ctrl-C, while something here lasts for hours.
#ifndef TVMGO_CXX_FFI_SIGNAL_POLLER_H_
#define TVMGO_CXX_FFI_SIGNAL_POLLER_H_

#include <chrono>

#include "ffi/ffi.h"

namespace tvmgo {

class SignalPoller {
 public:
  // Looks if some time has passed since the last look, and says whether. It costs what is timed
  // next to nothing, even where another thread has the GIL. Throws what a signal's handler raised.
  bool Poll() {
    const Clock::time_point now = Clock::now();
    if (now - last_ < std::chrono::milliseconds(200)) return false;
    last_ = now;
    if (check_) Call(check_);
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Ref check_ = FindGlobal("tvmgo.check_signals");  // none after somebody has removed it
  Clock::time_point last_ = Clock::now();
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_SIGNAL_POLLER_H_
