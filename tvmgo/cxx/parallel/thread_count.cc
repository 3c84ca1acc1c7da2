// SPDX-License-Identifier: Apache-2.0
#include "parallel/thread_count.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <utility>

#include "parallel/cpus.h"

namespace tvmgo::parallel {
namespace {

constexpr int kUnlimited = std::numeric_limits<int>::max();

std::atomic<int> pool_size{0};  // 0 before it is read
std::atomic<int> process_limit{kUnlimited};
thread_local int thread_limit = kUnlimited;

int ReadPoolSize() {
  for (const char* variable : {"TVM_NUM_THREADS", "OMP_NUM_THREADS"}) {
    // What is no number counts as 1, as it always did.
    if (const char* text = std::getenv(variable)) return std::max(std::atoi(text), 1);
  }
  return AllowedCpus();
}

int LimitFrom(int count) { return count == 0 ? kUnlimited : count; }

}  // namespace

int PoolSize() {
  int size = pool_size.load(std::memory_order_relaxed);
  if (size == 0) {
    size = ReadPoolSize();
    pool_size.store(size, std::memory_order_relaxed);
  }
  return size;
}

void ForgetPoolSize() { pool_size.store(0, std::memory_order_relaxed); }

int ThreadCount() {
  return std::min({PoolSize(), process_limit.load(std::memory_order_relaxed), thread_limit});
}

void LimitProcess(int count) { process_limit.store(LimitFrom(count), std::memory_order_relaxed); }

int LimitThread(int count) {
  const int before = std::exchange(thread_limit, LimitFrom(count));
  return before == kUnlimited ? 0 : before;
}

}  // namespace tvmgo::parallel
