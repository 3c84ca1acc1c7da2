// SPDX-License-Identifier: Apache-2.0
#include "parallel/thread_pool.h"

#include <chrono>
#include <cstdlib>
#include <system_error>

#ifndef _WIN32
#include <pthread.h>
#endif

#include "parallel/cpus.h"
#include "parallel/spin.h"
#include "parallel/thread_count.h"

namespace tvmgo::parallel {
namespace {

// From one kernel of a model to the next; waking a thread takes 5 to 50.
constexpr std::chrono::microseconds kSpinTime{200};

// In ThreadPool::pending_.
constexpr int kCallerSleeps = 1 << 30;

std::atomic<ThreadPool*> current{nullptr};

void ForgetPool() {
  current.store(nullptr, std::memory_order_relaxed);
  ForgetPoolSize();
}

// Lets a thread that is on its way to wait begin to, and then wakes it.
void Wake(std::mutex* mutex, std::condition_variable* condition) {
  {
    const std::lock_guard<std::mutex> lock(*mutex);
  }
  condition->notify_one();
}

}  // namespace

ThreadPool::ThreadPool() : cpus_(AllowedCpus()) {}

ThreadPool& ThreadPool::Current() {
  ThreadPool* pool = current.load(std::memory_order_acquire);
  if (pool == nullptr) {
    auto* fresh = new ThreadPool;
    if (current.compare_exchange_strong(pool, fresh, std::memory_order_acq_rel)) {
      pool = fresh;
    } else {  // another thread was faster
      delete fresh;
    }
  }
  return *pool;
}

void ThreadPool::FollowProcess() {
#ifndef _WIN32
  pthread_atfork(nullptr, nullptr, ForgetPool);
#endif
  std::atexit([] {
    ThreadPool* pool = current.load(std::memory_order_acquire);
    // Where a kernel still runs its threads end as the process does.
    if (pool != nullptr && pool->TryTake()) pool->Stop();
  });
}

bool ThreadPool::IsAbandoned() const { return current.load(std::memory_order_relaxed) != this; }

void ThreadPool::Take() {
  while (!TryTake()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

int ThreadPool::Prepare(int num_task) {
  while (static_cast<int>(workers_.size()) + 1 < num_task) {
    auto worker = std::make_unique<Worker>();
    Worker* started = worker.get();
    const int task_id = static_cast<int>(workers_.size()) + 1;
    workers_.push_back(std::move(worker));
    try {
      started->thread = std::thread([=] { Work(started, task_id); });
#ifdef __linux__
      pthread_setname_np(started->thread.native_handle(), "tvmgo-worker");  // in debuggers
#endif
    } catch (const std::system_error&) {
      workers_.pop_back();
      break;
    }
  }
  return std::min(num_task, static_cast<int>(workers_.size()) + 1);
}

BarrierCounter* ThreadPool::ResetCounters(int num_task) {
  if (num_counters_ < num_task) {
    counters_ = std::make_unique<BarrierCounter[]>(num_task);
    num_counters_ = num_task;
  }
  for (int i = 0; i < num_task; ++i) counters_[i].rounds.store(0, std::memory_order_relaxed);
  return counters_.get();
}

bool ThreadPool::Run(const Job& job, int num_task) {
  job_ = job;
  spin_.store(num_task <= cpus_, std::memory_order_relaxed);
  caller_cpu_.store(CurrentCpu(), std::memory_order_relaxed);
  pending_.store(num_task - 1, std::memory_order_relaxed);
  // Also where pthread_exit, by which Python ends daemon threads, leaves a task: workers use what
  // lies on this thread's stack.
  struct AwaitOnExit {
    ThreadPool* pool;
    ~AwaitOnExit() {
      if (!pool->IsAbandoned()) pool->AwaitTasks();
    }
  };
  {
    const AwaitOnExit await{this};
    for (int i = 1; i < num_task; ++i) workers_[i - 1]->Hand(kAssigned);
    job.run(job.self, 0);
    for (int i = num_task - 1; i > 0 && !IsAbandoned(); --i) {
      if (!workers_[i - 1]->Claim()) continue;
      job.run(job.self, i);
      pending_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  return !IsAbandoned();
}

void ThreadPool::Work(Worker* worker, int task_id) {
  UseAllowedCpus();
  while (worker->Await(*this) == kAssigned) {
    job_.run(job_.self, task_id);
    if (IsAbandoned()) return;  // forked by the task: in the child nobody waits for this thread
    FinishTask();
  }
}

void ThreadPool::FinishTask() {
  const int before = pending_.fetch_sub(1, std::memory_order_acq_rel);
  if (before == (kCallerSleeps | 1)) Wake(&mutex_, &done_);
}

void ThreadPool::AwaitTasks() {
  const auto is_done = [this] { return pending_.load(std::memory_order_acquire) == 0; };
  if (is_done()) return;
  if (spin_.load(std::memory_order_relaxed) && SpinUntil(is_done, kSpinTime)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  pending_.fetch_or(kCallerSleeps, std::memory_order_acq_rel);
  done_.wait(lock, [this] { return pending_.load(std::memory_order_acquire) == kCallerSleeps; });
}

void ThreadPool::Stop() {
  for (const auto& worker : workers_) worker->Hand(kQuit);
  for (const auto& worker : workers_) worker->thread.join();
}

bool ThreadPool::Worker::Claim() {
  int expected = kAssigned;
  return state.compare_exchange_strong(expected, kIdle, std::memory_order_acq_rel);
}

void ThreadPool::Worker::Hand(State what) {
  if (state.exchange(what, std::memory_order_acq_rel) == kAsleep) Wake(&mutex, &woken);
}

ThreadPool::State ThreadPool::Worker::Await(const ThreadPool& pool) {
  const auto has_come = [this] { return state.load(std::memory_order_acquire) != kIdle; };
  while (true) {
    const bool spin = pool.spin_.load(std::memory_order_relaxed);
    // The system may put a worker on its caller's CPU, where it waits until the caller is done, and
    // leave it there: the caller runs its tasks, so there seems to be work for one CPU only.
    if (spin) AvoidCpu(pool.caller_cpu_.load(std::memory_order_relaxed));
    if (!has_come() && !(spin && SpinUntil(has_come, kSpinTime))) {
      std::unique_lock<std::mutex> lock(mutex);
      int expected = kIdle;
      if (state.compare_exchange_strong(expected, kAsleep, std::memory_order_acq_rel)) {
        woken.wait(lock, [this] { return state.load(std::memory_order_acquire) != kAsleep; });
      }
    }
    if (Claim()) return kAssigned;
    if (state.load(std::memory_order_relaxed) == kQuit) return kQuit;
    // Woken too late: the caller has run the task.
  }
}

}  // namespace tvmgo::parallel
