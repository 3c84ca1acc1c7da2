// SPDX-License-Identifier: Apache-2.0
#include "graph/turn.h"

#ifndef _WIN32
#include <pthread.h>
#endif

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "ffi/ffi.h"
#include "ffi/signal_poller.h"

namespace tvmgo {

class Place;

namespace {

[[noreturn]] void ThrowBusy(const char* method, const char* reason) {
  TVM_FFI_THROW(BusyError) << method << ": the graph executor is busy with " << reason;
  TVM_FFI_UNREACHABLE();
}

// All who wait, for whichever turn, in the order in which they came. Waiting is rare and long, so
// that one lock serves all; it lets us see who waits for whom. Never destroyed: threads may wait
// when the process ends.
struct Queue {
  std::mutex mutex;
  std::vector<Place*> places;
  uint64_t next_id = 2;     // of threads; even, see Turn::kAwaited
  uint64_t first_here = 0;  // threads of lower ids stayed behind when this process was forked ...
  uint64_t survivor = 0;    // ... but for the one that did it
};

Queue& queue() {
  static Queue& queue = *new Queue;
  return queue;
}

}  // namespace

// A thread's place in the queue.
class Place {
 public:
  Place(Turn* turn, const char* method) : turn_(turn), thread_(Turn::ThisThread()) {
    const std::lock_guard<std::mutex> lock(queue().mutex);
    uint64_t owner = turn->owner_.load(std::memory_order_relaxed);
    while ((owner & Turn::kAwaited) == 0) {
      const uint64_t wanted = owner == 0 ? thread_ : owner | Turn::kAwaited;
      if (!turn->owner_.compare_exchange_weak(owner, wanted, std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
        continue;
      }
      has_turn_ = owner == 0;  // it was given back meanwhile
      break;
    }
    if (has_turn_) return;
    RequireEnd(method);
    queue().places.push_back(this);
  }

  ~Place() {
    {
      const std::lock_guard<std::mutex> lock(queue().mutex);
      std::vector<Place*>& places = queue().places;
      places.erase(std::remove(places.begin(), places.end(), this), places.end());
    }
    if (has_turn_ && !taken_) turn_->Give();  // a signal ended the wait when it was over
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Waits that long at most; whether the turn has come.
  bool WaitFor(std::chrono::milliseconds time) {
    std::unique_lock<std::mutex> lock(queue().mutex);
    // By the system's clock: to wait by the steady one needs glibc 2.30. If somebody sets the clock
    // back, signals are answered later, but the turn comes as before.
    const auto end = std::chrono::system_clock::now() + time;
    taken_ = granted_.wait_until(lock, end, [this] { return has_turn_; });
    return taken_;
  }

  const Turn* turn() const { return turn_; }
  uint64_t thread() const { return thread_; }

  // Under the lock, by who gives the turn to this place.
  void Grant() {
    has_turn_ = true;
    granted_.notify_one();
  }

 private:
  static const Turn* AwaitedBy(uint64_t thread) {
    for (const Place* place : queue().places) {
      if (place->thread_ == thread) return place->turn_;
    }
    return nullptr;
  }

  // Throws if the wait could have no end.
  void RequireEnd(const char* method) const {
    for (const Turn* turn = turn_; turn != nullptr;) {
      const uint64_t owner = turn->owner_.load(std::memory_order_relaxed) & ~Turn::kAwaited;
      if (owner == thread_)
        ThrowBusy(method, "a call that this one is part of, or that waits for it");
      if (owner < queue().first_here && owner != queue().survivor) {
        ThrowBusy(method, "a call of a thread that stayed behind when this process was forked");
      }
      turn = AwaitedBy(owner);
    }
  }

  Turn* turn_;
  uint64_t thread_;
  std::condition_variable granted_;
  bool has_turn_ = false;
  bool taken_ = false;  // by the call, which will give it back
};

namespace {

#ifndef _WIN32
// In a forked child the queue is empty, and only the thread that forked is there.
void StartAnew() {
  queue().places.clear();
  queue().first_here = queue().next_id;
  queue().mutex.unlock();
  queue().survivor = Turn::ThisThread();
}

[[maybe_unused]] const int kAtFork =
    pthread_atfork([] { queue().mutex.lock(); }, [] { queue().mutex.unlock(); }, StartAnew);
#endif

}  // namespace

uint64_t Turn::NewThreadId() {
  const std::lock_guard<std::mutex> lock(queue().mutex);
  const uint64_t id = queue().next_id;
  queue().next_id += 2;
  return id;
}

void Turn::Overlap(const char* method, Busy busy) {
  if (busy == Busy::kFail) {
    ThrowBusy(method, "another call; it serves one thread at a time and no callbacks");
  }
  Place place(this, method);
  SignalPoller signals;
  while (!place.WaitFor(std::chrono::milliseconds(100))) signals.Poll();
}

void Turn::PassOn() {
  const std::lock_guard<std::mutex> lock(queue().mutex);
  std::vector<Place*>& places = queue().places;
  const auto waits = [this](const Place* place) { return place->turn() == this; };
  const auto next = std::find_if(places.begin(), places.end(), waits);
  if (next == places.end()) {
    owner_.store(0, std::memory_order_release);
    return;
  }
  Place* place = *next;
  const bool more = std::find_if(next + 1, places.end(), waits) != places.end();
  owner_.store(place->thread() | (more ? kAwaited : 0), std::memory_order_release);
  places.erase(next);
  place->Grant();
}

}  // namespace tvmgo
