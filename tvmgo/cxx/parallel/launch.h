// SPDX-License-Identifier: Apache-2.0
//
// What kernels know as TVMBackendParallelLaunch and TVMBackendParallelBarrier, with errors thrown.
#ifndef TVMGO_CXX_PARALLEL_LAUNCH_H_
#define TVMGO_CXX_PARALLEL_LAUNCH_H_

#include <cstdint>

namespace tvmgo::parallel {

// What a task is shown of its launch. Its layout, and what the handle points to, are
// libtvm_runtime's: a barrier of one serves the tasks of the other.
struct ParallelEnv {
  void* sync_handle;
  int32_t num_task;
};

// 0, or another number with the error raised in the thread's place for it.
using ParallelTask = int (*)(int task_id, ParallelEnv* env, void* data);

// Runs the tasks at the same time, task 0 on this thread, and returns when all are done; throws the
// error of the one that failed first.
//
// `num_task` 0 asks for as many as can be had: one for each thread, or a single one, run by this
// thread alone, where the pool is taken or within a task. A number above 1 is a demand: the launch
// waits for the pool, and throws where there are fewer threads or within a task. Where this thread
// may use but one thread there is one task, whatever was asked for.
void Launch(ParallelTask task, void* data, int num_task);

// Waits until all tasks of the launch have come here as often as this one. Throws if one has failed
// and may never come.
void AwaitSiblings(int task_id, const ParallelEnv& env);

}  // namespace tvmgo::parallel

#endif  // TVMGO_CXX_PARALLEL_LAUNCH_H_
