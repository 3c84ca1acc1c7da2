// SPDX-License-Identifier: Apache-2.0
//
// The folder parallel: threads for the tasks of parallel kernels, classic ones and today's. Here:
// how today's kernels, and users, get at them.
#ifndef TVMGO_CXX_PARALLEL_REGISTER_PARALLEL_H_
#define TVMGO_CXX_PARALLEL_REGISTER_PARALLEL_H_

#ifdef __cplusplus
extern "C" {
#endif

// To be called once. Registers the global function
//
//   tvmgo.limit_threads   (number of threads, 0 for no limit) -> the limit before
//   tvmgo.allowed_cpus    () -> how many CPUs the process may use
//
// which limits launches by the calling thread. 0, or -1 with the error raised.
__attribute__((visibility("default"))) int TVMGoRegisterThreadPool(void);

// To be called when libtvm_runtime has been loaded, whose pool is replaced for libraries loaded
// from now on, and so are these of its functions:
//
//   runtime.config_threadpool   (affinity mode, number of threads, 0 for no limit [, CPUs])
//   runtime.NumThreads          () -> threads that a kernel called by this thread may use
//
// 0, or -1 with the error raised.
__attribute__((visibility("default"))) int TVMGoReplaceThreadPool(void);

#ifdef __cplusplus
}
#endif

#endif  // TVMGO_CXX_PARALLEL_REGISTER_PARALLEL_H_
