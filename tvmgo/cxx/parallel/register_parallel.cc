// SPDX-License-Identifier: Apache-2.0
#include "parallel/register_parallel.h"

#include <tvm/ffi/extra/c_env_api.h>

#include <cstdint>
#include <limits>

#include "ffi/call_args.h"
#include "ffi/globals.h"
#include "parallel/cpus.h"
#include "parallel/launch.h"
#include "parallel/thread_count.h"
#include "parallel/thread_pool.h"

namespace tvmgo::parallel {
namespace {

int ParallelLaunch(ParallelTask task, void* data, int num_task) {
  return CatchErrors([=] { Launch(task, data, num_task); });
}

int ParallelBarrier(int task_id, ParallelEnv* env) {
  return CatchErrors([=] { AwaitSiblings(task_id, *env); });
}

int ThreadsArg(const CallArgs& args, int32_t i) {
  const int64_t count = args.Int(i, "number of threads");
  if (count < 0 || count > std::numeric_limits<int>::max()) {
    TVM_FFI_THROW(ValueError) << args.function() << ": argument " << i << " (number of threads): "
                              << "expected 0, for no limit, or more, got " << count;
  }
  return static_cast<int>(count);
}

// The number of CPUs listed; no thread is bound to one, as the system does better.
int CpusArg(const CallArgs& args, int32_t i) {
  if (args.size() <= i) return 0;
  if (args[i].type_index != kTVMFFIArray) args.Fail(i, "CPUs", "a list");
  return static_cast<int>(Call(GetGlobal("ffi.ArraySize"), args[i]).view().v_int64);
}

Value ConfigThreadPool(const CallArgs& args) {
  args.RequireSize(2, 3);
  args.Int(0, "affinity mode");  // of CPUs that differ, the system chooses
  const int count = ThreadsArg(args, 1);
  const int num_cpus = CpusArg(args, 2);
  LimitProcess(count == 0 || (num_cpus != 0 && num_cpus < count) ? num_cpus : count);
  return Value();
}

Value NumThreads(const CallArgs& args) {
  args.RequireSize(0, 0);
  return Value(int64_t{ThreadCount()});
}

Value LimitThreads(const CallArgs& args) {
  args.RequireSize(1, 1);
  return Value(int64_t{LimitThread(ThreadsArg(args, 0))});
}

Value CountAllowedCpus(const CallArgs& args) {
  args.RequireSize(0, 0);
  return Value(int64_t{AllowedCpus()});
}

constexpr GlobalFunction kOwn[] = {
    {"tvmgo.limit_threads", LimitThreads},
    {"tvmgo.allowed_cpus", CountAllowedCpus},
};
constexpr GlobalFunction kOfRuntime[] = {
    {"runtime.config_threadpool", ConfigThreadPool},
    {"runtime.NumThreads", NumThreads},
};

// Of several symbols with one name a library is given the one registered last.
void Offer(const char* name, void* address) {
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIEnvModRegisterContextSymbol(name, address));
}

}  // namespace
}  // namespace tvmgo::parallel

int TVMGoRegisterThreadPool(void) {
  return tvmgo::CatchErrors([] {
    tvmgo::parallel::ThreadPool::FollowProcess();
    tvmgo::RegisterGlobals(tvmgo::parallel::kOwn);
  });
}

int TVMGoReplaceThreadPool(void) {
  using namespace tvmgo::parallel;
  return tvmgo::CatchErrors([] {
    Offer("__TVMBackendParallelLaunch", reinterpret_cast<void*>(ParallelLaunch));
    Offer("__TVMBackendParallelBarrier", reinterpret_cast<void*>(ParallelBarrier));
    tvmgo::RegisterGlobals(kOfRuntime);
  });
}
