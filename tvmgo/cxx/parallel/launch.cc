// SPDX-License-Identifier: Apache-2.0
#include "parallel/launch.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "ffi/raised_error.h"
#include "parallel/spin.h"
#include "parallel/thread_count.h"
#include "parallel/thread_pool.h"

namespace tvmgo::parallel {
namespace {

// One launch, shared by the threads that run its tasks.
class Tasks {
 public:
  Tasks(ParallelTask task, void* data) : task_(task), data_(data) {}

  void RunAlone() {
    BarrierCounter counter;
    env_ = {&counter, 1};
    Run(0);
    ThrowFirstError();
  }

  void RunOn(ThreadPool* pool, int num_task) {
    pool_ = pool;
    env_ = {pool->ResetCounters(num_task), num_task};
    const Job job{[](void* self, int task_id) { static_cast<Tasks*>(self)->Run(task_id); }, this};
    if (!pool->Run(job, num_task)) ThrowForked();
    ThrowFirstError();
  }

  // The innermost launch of which the calling thread runs a task; null outside all of them.
  static Tasks* Innermost() { return innermost_; }

  // For a task that waits for the others.
  void ThrowIfSomeMayNeverCome() const {
    if (pool_ != nullptr && pool_->IsAbandoned()) ThrowForked();
    if (has_failed_.load(std::memory_order_relaxed)) {
      TVM_FFI_THROW(RuntimeError) << "a parallel task waits for another one, which has failed";
    }
  }

 private:
  void Run(int task_id) {
    Tasks* outside = std::exchange(innermost_, this);
    int code = 0;
    if (CatchErrors([&] { code = task_(task_id, &env_, data_); }) != 0) code = -1;
    innermost_ = outside;
    if (code != 0) Keep(code);
  }

  void Keep(int code) {
    Ref error = TakeRaisedErrorIfAny();
    if (!error) {
      const std::string message =
          "a parallel task failed without an error message (code " + std::to_string(code) + ")";
      error = NewError("RuntimeError", message.c_str());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) error_ = std::move(error);
    has_failed_.store(true, std::memory_order_relaxed);
  }

  void ThrowFirstError() const {
    if (error_) ThrowError(error_);
  }

  [[noreturn]] static void ThrowForked() {
    TVM_FFI_THROW(RuntimeError) << "the process was forked within a parallel kernel: the child has "
                                << "only one of its tasks";
    TVM_FFI_UNREACHABLE();
  }

  static thread_local Tasks* innermost_;

  const ParallelTask task_;
  void* const data_;
  ParallelEnv env_{};
  ThreadPool* pool_ = nullptr;
  std::atomic<bool> has_failed_{false};
  std::mutex mutex_;
  Ref error_;
};

thread_local Tasks* Tasks::innermost_ = nullptr;

void ThrowIfMore(int num_task, int count) {
  if (num_task <= count) return;
  TVM_FFI_THROW(RuntimeError) << "Request parallel sync task larger than number of threads used "
                              << " workers=" << count << " request=" << num_task;
}

}  // namespace

void Launch(ParallelTask task, void* data, int num_task) {
  if (num_task < 0) TVM_FFI_THROW(ValueError) << "num_task: expected 0 or more, got " << num_task;
  Tasks tasks(task, data);
  const int count = ThreadCount();
  const bool is_nested = Tasks::Innermost() != nullptr;
  if (count == 1 || num_task == 1 || (is_nested && num_task == 0)) return tasks.RunAlone();
  if (is_nested) {
    TVM_FFI_THROW(RuntimeError) << "Cannot launch parallel job inside worker, consider fuse then "
                                << "parallel";
  }
  ThrowIfMore(num_task, count);
  ThreadPool& pool = ThreadPool::Current();
  if (num_task != 0) {
    pool.Take();
  } else if (!pool.TryTake()) {
    return tasks.RunAlone();
  }
  const auto give_back = [](ThreadPool* taken) { taken->GiveBack(); };
  const std::unique_ptr<ThreadPool, decltype(give_back)> taken(&pool, give_back);
  const int possible = pool.Prepare(num_task == 0 ? count : num_task);
  ThrowIfMore(num_task, possible);
  tasks.RunOn(&pool, possible);
}

void AwaitSiblings(int task_id, const ParallelEnv& env) {
  if (env.num_task == 1) return;
  auto* counters = static_cast<BarrierCounter*>(env.sync_handle);
  const int32_t round = counters[task_id].rounds.fetch_add(1, std::memory_order_acq_rel);
  // Null in a task that libtvm_runtime started.
  const Tasks* tasks = Tasks::Innermost();
  for (int i = 0; i < env.num_task; ++i) {
    const auto has_come = [&] {
      return counters[i].rounds.load(std::memory_order_acquire) > round;
    };
    while (!SpinUntil(has_come, std::chrono::microseconds(20))) {
      if (tasks != nullptr) tasks->ThrowIfSomeMayNeverCome();
      std::this_thread::yield();
    }
  }
}

}  // namespace tvmgo::parallel
