// SPDX-License-Identifier: Apache-2.0
//
// The right to use a state for one call. Overlap comes from a second thread, which may wait for its
// turn, or from a kernel that calls back into its own executor, which waiting would not serve.
#ifndef TVMGO_CXX_GRAPH_TURN_H_
#define TVMGO_CXX_GRAPH_TURN_H_

#include <atomic>
#include <cstdint>

namespace tvmgo {

class Turn {
 public:
  // What a call does while another one has the turn: fail, or wait for it.
  enum class Busy : uint8_t { kFail, kWait };

  // Has the turn for as long as it lives.
  class Hold {
   public:
    // Throws BusyError, which names `method`, where it must not or cannot wait. Threads are served
    // in the order in which they came. Who waits for a call that waits for him is told so at once;
    // otherwise a wait ends with the turn, or with what Python raises on a signal.
    Hold(Turn* turn, const char* method, Busy busy) : turn_(turn) {
      if (!turn->TryTake()) turn->Overlap(method, busy);
    }
    ~Hold() { turn_->Give(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Turn* turn_;
  };

  // The calling thread's number, which no other thread of this process or its parents ever has.
  static uint64_t ThisThread() {
    thread_local uint64_t id = 0;
    if (id == 0) id = NewThreadId();
    return id;
  }

 private:
  friend class Place;

  static constexpr uint64_t kAwaited = 1;

  static uint64_t NewThreadId();

  bool TryTake() {
    uint64_t nobody = 0;
    return owner_.compare_exchange_strong(nobody, ThisThread(), std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  void Overlap(const char* method, Busy busy);
  void Give() {
    uint64_t owner = owner_.load(std::memory_order_relaxed) & ~kAwaited;
    if (!owner_.compare_exchange_strong(owner, 0, std::memory_order_release,
                                        std::memory_order_relaxed)) {
      PassOn();
    }
  }
  void PassOn();

  // The thread that has the turn, and kAwaited if others wait for it; 0 for nobody. While it is
  // awaited it changes under the lock of turn.cc only.
  std::atomic<uint64_t> owner_{0};
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_TURN_H_
