// SPDX-License-Identifier: Apache-2.0
//
// How many threads a parallel kernel may use, the caller's own among them: the least of three
// numbers.
#ifndef TVMGO_CXX_PARALLEL_THREAD_COUNT_H_
#define TVMGO_CXX_PARALLEL_THREAD_COUNT_H_

namespace tvmgo::parallel {

// For a launch by this thread, now.
int ThreadCount();

// The size of the pool: TVM_NUM_THREADS, else OMP_NUM_THREADS, else the CPUs allowed. Read when it
// is first asked for, and again after a fork.
int PoolSize();
void ForgetPoolSize();

// A limit of the process; 0 for none.
void LimitProcess(int count);

// A limit of the calling thread, 0 for none; returns the one before.
int LimitThread(int count);

// Limits the calling thread for as long as it lives; by 0 not at all.
class ThreadLimit {
 public:
  explicit ThreadLimit(int count) : count_(count) {
    if (count_ != 0) before_ = LimitThread(count_);
  }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;
  ~ThreadLimit() {
    if (count_ != 0) LimitThread(before_);
  }

 private:
  int count_;
  int before_ = 0;
};

}  // namespace tvmgo::parallel

#endif  // TVMGO_CXX_PARALLEL_THREAD_COUNT_H_
