// SPDX-License-Identifier: Apache-2.0
//
// The process's one pool of worker threads. One launch has it at a time; its caller runs task 0,
// worker i runs task i, and the caller also takes over tasks whose worker has not woken up when
// task 0 is done.
//
//   caller                         worker i
//     hand task i over  ---------->  (looks for a while, then sleeps)
//     run task 0                     claim it, run it
//     claim and run what no
//     worker has begun
//     wait             <----------   done
//
// A pool is never freed. After a fork the child makes a new one at first use: the threads and
// whatever they held stay in the parent.
#ifndef TVMGO_CXX_PARALLEL_THREAD_POOL_H_
#define TVMGO_CXX_PARALLEL_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tvmgo::parallel {

// What the workers run: `run(self, i)` is task i and throws nothing.
struct Job {
  void (*run)(void* self, int task_id);
  void* self;
};

// Apart from its neighbours, so that two threads do not write to one line of the cache. Barriers
// count in these; libtvm_runtime's have the same size.
struct alignas(64) BarrierCounter {
  std::atomic<int32_t> rounds{0};
};

class ThreadPool {
 public:
  // The pool of this process.
  static ThreadPool& Current();
  // To be called once: what happens at a fork and at the end of the process.
  static void FollowProcess();

  // Whether the calling thread now has the pool.
  bool TryTake() { return !taken_.exchange(true, std::memory_order_acquire); }
  void Take();
  void GiveBack() { taken_.store(false, std::memory_order_release); }

  // The rest is for whoever has the pool.

  // Starts workers where so many tasks need more. Returns how many tasks there can be at once:
  // fewer if the system gives no more threads.
  int Prepare(int num_task);

  // One for each task, all 0.
  BarrierCounter* ResetCounters(int num_task);

  // Runs tasks 0 to num_task - 1 of the job, at once, and returns when all are done. False: the
  // process was forked by task 0 and this is the child, where nobody runs the others.
  bool Run(const Job& job, int num_task);

  // Whether this is another process than the one the pool was made in.
  bool IsAbandoned() const;

 private:
  enum State : int { kIdle, kAsleep, kAssigned, kQuit };

  struct Worker {
    alignas(64) std::atomic<int> state{kIdle};
    std::mutex mutex;  // for sleeping only
    std::condition_variable woken;
    std::thread thread;

    bool Claim();
    void Hand(State what);
    // Waits for what comes: kAssigned, the task claimed, or kQuit.
    State Await(const ThreadPool& pool);
  };

  ThreadPool();
  void Work(Worker* worker, int task_id);
  void FinishTask();
  void AwaitTasks();
  void Stop();

  std::atomic<bool> taken_{false};
  const int cpus_;
  std::vector<std::unique_ptr<Worker>> workers_;  // of tasks 1, 2, ...
  std::unique_ptr<BarrierCounter[]> counters_;    // of tasks 0, 1, ...
  int num_counters_ = 0;
  Job job_{};
  std::atomic<bool> spin_{true};  // not if the job has more tasks than there are CPUs
  std::atomic<int> caller_cpu_{-1};

  // Tasks of workers that are not done, and kCallerSleeps.
  alignas(64) std::atomic<int> pending_{0};
  std::mutex mutex_;  // for sleeping only
  std::condition_variable done_;
};

}  // namespace tvmgo::parallel

#endif  // TVMGO_CXX_PARALLEL_THREAD_POOL_H_
