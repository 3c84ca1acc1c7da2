// SPDX-License-Identifier: Apache-2.0
// What the `c` target makes: the services are imported by their C names. With SYSTEM_LIB the
// functions are not exported but registered while the library is being opened.
#include "classic.h"

extern int TVMFuncCall(void*, Cell*, int32_t*, int, Cell*, int32_t*);
extern void TVMAPISetLastError(const char*);
extern int TVMBackendGetFuncFromEnv(void*, const char*, void**);
extern void* TVMBackendAllocWorkspace(int, int, uint64_t, int, int);
extern int TVMBackendFreeWorkspace(int, int, void*);
extern int TVMBackendParallelLaunch(int (*)(int, Env*, void*), void*, int);
extern int TVMBackendParallelBarrier(int, Env*);
extern int TVMBackendRegisterSystemLibSymbol(const char*, void*);
extern int TVMBackendRunOnce(void**, int (*)(void*), void*, int);

#ifdef SYSTEM_LIB
#define PLACE static
static
#else
#define PLACE EXPORT
EXPORT
#endif
    void* __tvm_module_ctx = NULL;

PLACE int32_t call_named(PARAMETERS) {
  static void* function = NULL;
  if (function == NULL && TVMBackendGetFuncFromEnv(__tvm_module_ctx, args[0].text, &function)) {
    return -1;
  }
  return TVMFuncCall(function, args + 1, codes + 1, num_args - 1, ret, ret_code);
}

PLACE int32_t fail_loudly(PARAMETERS) {
  TVMAPISetLastError("imported: it failed");
  return -1;
}
PLACE int32_t fail_silently(PARAMETERS) { return -1; }

#ifndef WITHOUT_RUNTIME  // of what libtvm_runtime has
PLACE int32_t use_workspace(PARAMETERS) {
  char* memory = TVMBackendAllocWorkspace(1, 0, 100, 2, 32);
  if (memory == NULL) return -1;
  memory[99] = 5;
  ret->number = memory[99];
  *ret_code = INT;
  return TVMBackendFreeWorkspace(1, 0, memory);
}

static int task(int task_id, Env* env, void* data) {
  __atomic_fetch_add((int64_t*)data, 1, __ATOMIC_SEQ_CST);
  if (TVMBackendParallelBarrier(task_id, env)) return -1;
  return *(int64_t*)data == env->num_task ? 0 : -1;
}
// In as many tasks as argument 0 says; in as many as there are workers without one.
PLACE int32_t parallel(PARAMETERS) {
  int64_t tasks = 0;
  if (TVMBackendParallelLaunch(task, &tasks, num_args ? (int)args[0].number : 0)) return -1;
  ret->number = tasks;
  *ret_code = INT;
  return 0;
}
static int failing_task(int task_id, Env* env, void* data) {
  TVMAPISetLastError("a task said why");
  return -1;
}
// Through a pointer, which the system's loader fills in another way than calls.
static int (*volatile launch)(int (*)(int, Env*, void*), void*, int) = TVMBackendParallelLaunch;
PLACE int32_t parallel_fail(PARAMETERS) { return launch(failing_task, NULL, 0); }
// A launch inside a launch, in one task.
static int nested_task(int task_id, Env* env, void* data) {
  return TVMBackendParallelLaunch(failing_task, NULL, 0);
}
PLACE int32_t parallel_nested(PARAMETERS) { return TVMBackendParallelLaunch(nested_task, NULL, 0); }
#endif

static int64_t times;
static int count(void* data) {
  times += *(int64_t*)data;
  return 0;
}
PLACE int32_t run_once(PARAMETERS) {
  static void* handle = NULL;
  int64_t one = 1;
  if (TVMBackendRunOnce(&handle, count, &one, sizeof(one))) return -1;
  ret->number = times;
  *ret_code = INT;
  return 0;
}

#ifdef SYSTEM_LIB
#define REGISTER(name) TVMBackendRegisterSystemLibSymbol(PREFIX #name, name)
#ifndef PREFIX
#define PREFIX ""
#endif
#ifndef CONTEXT_PREFIX
#define CONTEXT_PREFIX ""
#endif
#ifdef BLOB
static const unsigned char __tvm_dev_mblob[] = {
#include BLOB
};
#endif
__attribute__((constructor)) static void start_up(void) {
  REGISTER(call_named);
  REGISTER(fail_loudly);
  REGISTER(fail_silently);
#ifndef WITHOUT_RUNTIME
  REGISTER(use_workspace);
  REGISTER(parallel);
  REGISTER(parallel_fail);
  REGISTER(parallel_nested);
#endif
  REGISTER(run_once);
  TVMBackendRegisterSystemLibSymbol(CONTEXT_PREFIX "__tvm_module_ctx", &__tvm_module_ctx);
#ifdef BLOB
  TVMBackendRegisterSystemLibSymbol(PREFIX "__tvm_dev_mblob", (void*)__tvm_dev_mblob);
#endif
}
#else
EXPORT void never_called(void) { TVMBackendRegisterSystemLibSymbol(NULL, NULL); }
#endif
