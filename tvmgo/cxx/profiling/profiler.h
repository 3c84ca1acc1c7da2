// SPDX-License-Identifier: Apache-2.0
//
// How long each operation of runs takes, and when: what the states of a model report to while
// somebody wants to know.
#ifndef TVMGO_CXX_PROFILING_PROFILER_H_
#define TVMGO_CXX_PROFILING_PROFILER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// One call of an operation. Times are nanoseconds of the steady clock.
struct ProfiledCall {
  int64_t operation;
  int64_t thread;  // as the system numbers it
  int64_t start;
  int64_t duration;
};

class Profiler {
 public:
  // Operation 0 is a run itself.
  static constexpr int64_t kRun = 0;

  // Whether runs that begin now are to be recorded. Costs one load.
  bool is_on() const { return is_on_.load(std::memory_order_relaxed); }

  // Forgets what was, and records from now on: each call in sums, and so many of them one by one.
  void Start(int64_t max_calls);
  // Ends that; runs that have not ended are not recorded. What there is:
  //   [[first operation, number of them, description], ...] for each Find that was new,
  //   bytes: (calls, total, least, most) for each operation, as int64,
  //   bytes: ProfiledCalls,
  //   how many calls are in the sums only.
  Value Stop();
  // Ends it in a child after a fork, and begins anew: another thread's lock is never opened there,
  // and what it was about to change is left alone.
  void Abandon();

 private:
  friend class ProfiledRun;

  struct Sums {
    int64_t calls = 0;
    int64_t total = 0;
    int64_t least = INT64_MAX;
    int64_t most = 0;
  };
  struct Block {
    int64_t first;
    int64_t count;
    std::shared_ptr<const void> owner;
    Value description;
  };
  struct Recording {
    int64_t number;
    int64_t max_calls;
    int64_t left_out = 0;
    std::unordered_map<std::string, int64_t> known;  // first operations
    std::vector<Block> blocks;
    std::vector<Sums> sums{1};
    std::vector<ProfiledCall> calls;
  };

  std::atomic<bool> is_on_{false};
  std::mutex mutex_;    // guards all below
  int64_t number_ = 0;  // of recordings so far
  std::unique_ptr<Recording> recording_;
};

// One run on the calling thread. What it recorded counts when it ends, if the profiler is still at
// the same recording; also what came before an error.
class ProfiledRun {
 public:
  explicit ProfiledRun(Profiler* profiler);
  ProfiledRun(const ProfiledRun&) = delete;
  ProfiledRun& operator=(const ProfiledRun&) = delete;
  ~ProfiledRun();

  static int64_t Now();

  // The number of the first of `count` operations that are known by a key; `describe` is called if
  // they are new. Addresses in the key are safe: `owner` lives as long as the recording.
  int64_t Find(std::string key, int64_t count, std::shared_ptr<const void> owner,
               const std::function<Value()>& describe);

  // How many operations are known.
  int64_t num_operations() const;

  // A call of an operation, of which `elsewhere` was spent in calls that are counted as well.
  void Add(int64_t operation, int64_t start, int64_t end, int64_t elsewhere = 0);

 private:
  struct Call {
    int64_t operation, start, end, elsewhere;
  };

  // The recording that it belongs to, while that goes on; called with the lock.
  Profiler::Recording* recording() const;

  Profiler* profiler_;
  int64_t number_;
  int64_t start_;
  std::vector<Call> calls_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_PROFILING_PROFILER_H_
