// SPDX-License-Identifier: Apache-2.0
// Parallel kernels as TVM compiles them: the runtime puts its functions into the two variables.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <tvm/ffi/c_api.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))
#define KERNEL(name)                                                                \
  VISIBLE int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t num_args, \
                               TVMFFIAny* result)

typedef struct {
  void* sync_handle;
  int32_t num_task;
} Env;

VISIBLE int (*__TVMBackendParallelLaunch)(int (*)(int, Env*, void*), void*, int) = NULL;
VISIBLE int (*__TVMBackendParallelBarrier)(int, Env*) = NULL;

// What the tasks of one launch share.
typedef struct {
  const TVMFFIAny* args;
  int32_t seen_tasks;
} Shared;

static int give_int(TVMFFIAny* result, int64_t x) {
  result->type_index = kTVMFFIInt;
  result->v_int64 = x;
  return 0;
}

static DLTensor* tensor(const TVMFFIAny* arg) {
  return arg->type_index == kTVMFFITensor ? (DLTensor*)((char*)arg->v_ptr + sizeof(TVMFFIObject))
                                          : (DLTensor*)arg->v_ptr;
}
static int64_t* numbers(const TVMFFIAny* arg) { return tensor(arg)->data; }
static int64_t size(const TVMFFIAny* arg) { return tensor(arg)->shape[0]; }

static void see(Env* env, Shared* shared) {
  __atomic_store_n(&shared->seen_tasks, env->num_task, __ATOMIC_RELAXED);
}

// (out, tasks): squares the indices in `out`, and tells how many tasks there were.
static int fill_task(int task_id, Env* env, void* data) {
  Shared* shared = data;
  see(env, shared);
  int64_t n = size(shared->args), step = (n + env->num_task - 1) / env->num_task;
  int64_t* out = numbers(shared->args);
  for (int64_t i = step * task_id; i < n && i < step * (task_id + 1); ++i) out[i] += i * i;
  return 0;
}
KERNEL(fill) {
  Shared shared = {args, 0};
  if (__TVMBackendParallelLaunch(fill_task, &shared, (int)args[1].v_int64)) return -1;
  return give_int(result, shared.seen_tasks);
}

// (x, y, out): adds floats, on as many threads as may be.
static int add_task(int task_id, Env* env, void* data) {
  const TVMFFIAny* args = ((Shared*)data)->args;
  const float *x = tensor(&args[0])->data, *y = tensor(&args[1])->data;
  float* out = tensor(&args[2])->data;
  int64_t n = 1;
  for (int i = 0; i < tensor(&args[2])->ndim; ++i) n *= tensor(&args[2])->shape[i];
  for (int64_t i = n * task_id / env->num_task; i < n * (task_id + 1) / env->num_task; ++i) {
    out[i] = x[i] + y[i];
  }
  return 0;
}
KERNEL(add_floats) {
  Shared shared = {args, 0};
  return __TVMBackendParallelLaunch(add_task, &shared, 0);
}

// (out, tasks, rounds): in each round every task adds up what all wrote in the round before.
static int barrier_task(int task_id, Env* env, void* data) {
  Shared* shared = data;
  see(env, shared);
  int64_t *now = numbers(shared->args), *next = now + env->num_task;
  for (int64_t round = 0; round < shared->args[2].v_int64; ++round) {
    int64_t total = 1;
    for (int i = 0; i < env->num_task; ++i) total += now[i];
    next[task_id] = total % 1000003;
    if (__TVMBackendParallelBarrier(task_id, env)) return -1;
    int64_t* swapped = now;
    now = next;
    next = swapped;
  }
  return 0;
}
KERNEL(barrier) {
  Shared shared = {args, 0};
  if (__TVMBackendParallelLaunch(barrier_task, &shared, (int)args[1].v_int64)) return -1;
  return give_int(result, shared.seen_tasks);
}

// (tasks, failing, way): task `failing` fails, -1 for all; 0 with a message, 1 without, 2 with one
// while the others wait for it.
static int fail_task(int task_id, Env* env, void* data) {
  Shared* shared = data;
  int64_t failing = shared->args[1].v_int64, way = shared->args[2].v_int64;
  if (failing != -1 && failing % env->num_task != task_id) {
    return way == 2 ? __TVMBackendParallelBarrier(task_id, env) : 0;
  }
  if (way == 1) return -7;
  char message[40];
  snprintf(message, sizeof(message), "task %d said why", task_id);
  TVMFFIErrorSetRaisedFromCStr("KeyError", message);
  return -1;
}
KERNEL(fail) {
  Shared shared = {args, 0};
  return __TVMBackendParallelLaunch(fail_task, &shared, (int)args[0].v_int64);
}

// (function, tasks): every task calls the function with its number and that of all tasks.
static int call_task(int task_id, Env* env, void* data) {
  Shared* shared = data;
  see(env, shared);
  TVMFFIAny numbers[2] = {{.type_index = kTVMFFIInt}, {.type_index = kTVMFFIInt}};
  TVMFFIAny result = {0};
  numbers[0].v_int64 = task_id;
  numbers[1].v_int64 = env->num_task;
  if (TVMFFIFunctionCall(shared->args[0].v_ptr, numbers, 2, &result)) return -1;
  if (result.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(result.v_obj);
  return 0;
}
KERNEL(call) {
  Shared shared = {args, 0};
  if (__TVMBackendParallelLaunch(call_task, &shared, (int)args[1].v_int64)) return -1;
  return give_int(result, shared.seen_tasks);
}

// (out, tasks, inner tasks): every task launches `fill` of the whole of `out`, one after the other.
static int nested_task(int task_id, Env* env, void* data) {
  Shared* outer = data;
  see(env, outer);
  Shared inner = {outer->args, 0};
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  int code = __TVMBackendParallelLaunch(fill_task, &inner, (int)outer->args[2].v_int64);
  pthread_mutex_unlock(&mutex);
  return code;
}
KERNEL(nested) {
  Shared shared = {args, 0};
  if (__TVMBackendParallelLaunch(nested_task, &shared, (int)args[1].v_int64)) return -1;
  return give_int(result, shared.seen_tasks);
}

// (microseconds): tells how many tasks slept.
static int sleep_task(int task_id, Env* env, void* data) {
  Shared* shared = data;
  see(env, shared);
  return usleep((useconds_t)shared->args[0].v_int64);
}
KERNEL(sleep_us) {
  Shared shared = {args, 0};
  if (__TVMBackendParallelLaunch(sleep_task, &shared, 0)) return -1;
  return give_int(result, shared.seen_tasks);
}
