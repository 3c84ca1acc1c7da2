// SPDX-License-Identifier: Apache-2.0
// Uses every variable the loader fills, every type code as argument and as result, and fails in
// every way a compiled function can.
#include "classic.h"

#include <math.h>
#include <string.h>

VARIABLE void* __tvm_module_ctx = NULL;
VARIABLE int (*__TVMFuncCall)(void*, Cell*, int32_t*, int, Cell*, int32_t*) = NULL;
VARIABLE void (*__TVMAPISetLastError)(const char*) = NULL;
VARIABLE int (*__TVMBackendGetFuncFromEnv)(void*, const char*, void**) = NULL;
VARIABLE void* (*__TVMBackendAllocWorkspace)(int, int, uint64_t, int, int) = NULL;
VARIABLE int (*__TVMBackendFreeWorkspace)(int, int, void*) = NULL;
VARIABLE int (*__TVMBackendParallelLaunch)(int (*)(int, Env*, void*), void*, int) = NULL;
VARIABLE int (*__TVMBackendParallelBarrier)(int, Env*) = NULL;

static int fail(const char* message) {
  __TVMAPISetLastError(message);
  return -1;
}

static int give(Cell* ret, int32_t* ret_code, int32_t code, int64_t number) {
  ret->number = number;
  *ret_code = code;
  return 0;
}

static float* floats(const Cell* cell) {
  const Tensor* tensor = cell->pointer;
  return (float*)((char*)tensor->data + tensor->byte_offset);
}

static int64_t count(const Tensor* tensor) {
  int64_t n = 1;
  for (int i = 0; i < tensor->ndim; ++i) n *= tensor->shape[i];
  return n;
}

// ------------------------------------------------------------------ variables

FUNCTION_OF(filled) {
  int64_t bits = 0;
  bits |= (__tvm_module_ctx != NULL) << 0;
  bits |= (__TVMFuncCall != NULL) << 1;
  bits |= (__TVMAPISetLastError != NULL) << 2;
  bits |= (__TVMBackendGetFuncFromEnv != NULL) << 3;
  bits |= (__TVMBackendAllocWorkspace != NULL) << 4;
  bits |= (__TVMBackendFreeWorkspace != NULL) << 5;
  bits |= (__TVMBackendParallelLaunch != NULL) << 6;
  bits |= (__TVMBackendParallelBarrier != NULL) << 7;
  bits |= (resource == NULL) << 8;
  bits |= (*ret_code == NONE && ret->pointer == NULL) << 9;
  return give(ret, ret_code, INT, bits);
}

FUNCTION_OF(context_id) { return give(ret, ret_code, INT, (int64_t)(intptr_t)__tvm_module_ctx); }

// ------------------------------------------------------------------ arguments

FUNCTION_OF(nothing) { return 0; }
FUNCTION_OF(num_args_of) { return give(ret, ret_code, INT, num_args); }

// The code of argument i, which is the last argument.
FUNCTION_OF(code_of) { return give(ret, ret_code, INT, codes[args[num_args - 1].number]); }
FUNCTION_OF(bits_of) { return give(ret, ret_code, INT, args[0].number); }
FUNCTION_OF(sum) {
  double total = 0;
  for (int i = 0; i < num_args; ++i) {
    if (codes[i] == INT) {
      total += args[i].number;
    } else if (codes[i] == FLOAT) {
      total += args[i].real;
    } else {
      return fail("sum: expected numbers");
    }
  }
  ret->real = total;
  *ret_code = FLOAT;
  return 0;
}
FUNCTION_OF(text_length) {
  if (codes[0] != TEXT) return fail("text_length: expected a text");
  return give(ret, ret_code, INT, strlen(args[0].text));
}
FUNCTION_OF(bytes_sum) {
  if (codes[0] != BYTES) return fail("bytes_sum: expected bytes");
  const Bytes* bytes = args[0].pointer;
  int64_t total = bytes->size * 1000;
  for (size_t i = 0; i < bytes->size; ++i) total += (unsigned char)bytes->data[i];
  return give(ret, ret_code, INT, total);
}

// One fact of a tensor: 0 ndim, 1 dtype code, 2 bits, 3 lanes, 4 strides given, 5 byte_offset,
// 6 address modulo 64, 7 device type, 8 device id, 9 first dimension.
FUNCTION_OF(tensor_fact) {
  if (codes[0] != TENSOR) return fail("tensor_fact: expected a tensor");
  const Tensor* tensor = args[0].pointer;
  const int64_t facts[] = {tensor->ndim,
                           tensor->dtype.code,
                           tensor->dtype.bits,
                           tensor->dtype.lanes,
                           tensor->strides != NULL,
                           tensor->byte_offset,
                           (int64_t)((uintptr_t)tensor->data % 64),
                           tensor->device.type,
                           tensor->device.id,
                           tensor->ndim ? tensor->shape[0] : -1};
  return give(ret, ret_code, INT, facts[args[1].number]);
}

// ------------------------------------------------------------------ results

FUNCTION_OF(identity) {
  *ret = args[0];
  *ret_code = codes[0];
  return 0;
}
// Argument 0 under the type code of argument 1.
FUNCTION_OF(as_code) {
  *ret = args[0];
  *ret_code = (int32_t)args[1].number;
  return 0;
}
// The same under the code by which library code may call a tensor as well.
FUNCTION_OF(as_ndarray) {
  *ret = args[0];
  *ret_code = NDARRAY;
  return 0;
}
FUNCTION_OF(return_float) {
  ret->real = -0.0;
  *ret_code = FLOAT;
  return 0;
}
FUNCTION_OF(return_dtype) {
  ret->dtype = (DType){2, 16, 8};
  *ret_code = DTYPE;
  return 0;
}
FUNCTION_OF(return_device) {
  ret->device = (Device){4, 7};
  *ret_code = DEVICE;
  return 0;
}
FUNCTION_OF(return_text) {
  char text[] = "on the stack, so copied at once";
  static char kept[64];
  strcpy(kept, text);
  ret->text = kept;
  *ret_code = TEXT;
  return 0;
}
FUNCTION_OF(return_bytes) {
  static Bytes bytes = {"a\0b", 3};
  ret->pointer = &bytes;
  *ret_code = BYTES;
  return 0;
}
FUNCTION_OF(return_stack_tensor) {
  static Tensor tensor;
  ret->pointer = &tensor;
  *ret_code = TENSOR;
  return 0;
}

// ------------------------------------------------------------------ errors

FUNCTION_OF(fail_loudly) { return fail("Assert fail: num_args == 3, it should be 3"); }
FUNCTION_OF(fail_silently) { return -1; }
FUNCTION_OF(fail_positively) {
  fail("code seven");
  return 7;
}
FUNCTION_OF(complain_and_succeed) {
  fail("nobody should ever read this");
  return 0;
}

// ------------------------------------------------------------------ calls back

// Calls argument 0 with the others and hands the result on.
FUNCTION_OF(call) {
  if (num_args < 1 || codes[0] != FUNCTION) return fail("call: expected a function");
  return __TVMFuncCall(args[0].pointer, args + 1, codes + 1, num_args - 1, ret, ret_code);
}
// The type code of what argument 0 returns.
FUNCTION_OF(code_of_result) {
  Cell result;
  int32_t code = NONE;
  if (__TVMFuncCall(args[0].pointer, args + 1, codes + 1, num_args - 1, &result, &code)) return -1;
  return give(ret, ret_code, INT, code);
}
// Calls argument 0 with one value of the type code in argument 1, which is in argument 2.
FUNCTION_OF(call_with_code) {
  int32_t code = (int32_t)args[1].number;
  return __TVMFuncCall(args[0].pointer, args + 2, &code, 1, ret, ret_code);
}
FUNCTION_OF(call_null) { return __TVMFuncCall(NULL, args, codes, num_args, ret, ret_code); }
// Calls argument 0 with a number by rvalue reference to argument 1, an object.
FUNCTION_OF(call_with_rvalue) {
  void* object = args[1].pointer;
  Cell cell = {.pointer = &object};
  int32_t code = RVALUE;
  return __TVMFuncCall(args[0].pointer, &cell, &code, 1, ret, ret_code);
}
// Calls argument 0, which fails, and succeeds all the same.
FUNCTION_OF(call_and_ignore) {
  Cell result;
  int32_t code = NONE;
  return give(ret, ret_code, INT,
              __TVMFuncCall(args[0].pointer, args + 1, codes + 1, num_args - 1, &result, &code));
}

// The function of the name in argument 0, looked up once for ever, as compiled code does.
static void* cached;
FUNCTION_OF(call_cached) {
  if (cached == NULL && __TVMBackendGetFuncFromEnv(__tvm_module_ctx, args[0].text, &cached)) {
    return -1;
  }
  return __TVMFuncCall(cached, args + 1, codes + 1, num_args - 1, ret, ret_code);
}
// The same, looked up each time.
FUNCTION_OF(call_named) {
  void* function = NULL;
  if (__TVMBackendGetFuncFromEnv(__tvm_module_ctx, args[0].text, &function)) return -1;
  return __TVMFuncCall(function, args + 1, codes + 1, num_args - 1, ret, ret_code);
}

// Calls argument 0 with a tensor that exists on the stack only: float32[2] {1.5, -2}, and writes
// what the callee made of its first element into argument 1.
FUNCTION_OF(call_with_stack_tensor) {
  float data[16] __attribute__((aligned(64))) = {1.5f, -2.0f};
  int64_t shape[1] = {2}, strides[1] = {1};
  const int with_strides = (int)args[2].number;
  Tensor tensor = {data, {1, 0}, 1, {2, 32, 1}, shape, with_strides ? strides : NULL, 0};
  Cell cell = {.pointer = &tensor}, result;
  int32_t code = TENSOR, result_code;
  if (__TVMFuncCall(args[0].pointer, &cell, &code, 1, &result, &result_code)) return -1;
  floats(&args[1])[0] = data[0];
  return 0;
}
// Calls argument 0 with a bool tensor {1, 0, 1} from the stack.
FUNCTION_OF(call_with_bool_tensor) {
  uint8_t data[64] __attribute__((aligned(64))) = {1, 0, 1};
  int64_t shape[1] = {3};
  Tensor tensor = {data, {1, 0}, 1, {1, 1, 1}, shape, NULL, 0};
  Cell cell = {.pointer = &tensor};
  int32_t code = TENSOR;
  return __TVMFuncCall(args[0].pointer, &cell, &code, 1, ret, ret_code);
}
// Keeps what argument 0 returns in a variable, and gives it back later.
static Cell kept;
static int32_t kept_code = NONE;
FUNCTION_OF(keep) {
  return __TVMFuncCall(args[0].pointer, args + 1, codes + 1, num_args - 1, &kept, &kept_code);
}
FUNCTION_OF(give_kept) {
  *ret = kept;
  *ret_code = kept_code;
  return 0;
}
// Concatenates the texts of two calls of argument 0: each is valid until the next.
FUNCTION_OF(two_texts) {
  static _Thread_local char text[64];
  Cell result;
  int32_t code;
  text[0] = 0;
  for (int i = 0; i < 2; ++i) {
    if (__TVMFuncCall(args[0].pointer, args + 1, codes + 1, num_args - 1, &result, &code)) {
      return -1;
    }
    if (code != TEXT) return fail("two_texts: expected a text");
    strncat(text, result.text, 31);
  }
  ret->text = text;
  *ret_code = TEXT;
  return 0;
}

// ------------------------------------------------------------------ tensors

FUNCTION_OF(add) {
  if (num_args != 3) return fail("Assert fail: num_args == 3, add: num_args should be 3");
  const float *x = floats(&args[0]), *y = floats(&args[1]);
  float* z = floats(&args[2]);
  for (int64_t i = 0, n = count(args[2].pointer); i < n; ++i) z[i] = x[i] + y[i];
  return 0;
}
// Writes 7 to the first element of argument 0, reads the first of argument 1.
FUNCTION_OF(write_then_read) {
  floats(&args[0])[0] = 7;
  ret->real = floats(&args[1])[0];
  *ret_code = FLOAT;
  return 0;
}
FUNCTION_OF(invert) {
  const Tensor *x = args[0].pointer, *y = args[1].pointer;
  if (x->dtype.code != 1 || x->dtype.bits != 1) return fail("invert: expected uint1");
  for (int64_t i = 0; i < count(x); ++i) ((uint8_t*)y->data)[i] = !((uint8_t*)x->data)[i];
  return 0;
}
// Moves aligned vectors, as compiled code does without looking at the address.
typedef float Vector __attribute__((vector_size(32)));
FUNCTION_OF(double_vectors) {
  Vector *x = (Vector*)floats(&args[0]), *y = (Vector*)floats(&args[1]);
  for (int64_t i = 0; i < count(args[0].pointer) / 8; ++i) y[i] = x[i] + x[i];
  return 0;
}
// Calls argument 0 with tensor argument 1 after setting its first element.
FUNCTION_OF(write_then_call) {
  floats(&args[1])[0] = 42;
  return __TVMFuncCall(args[0].pointer, args + 1, codes + 1, 1, ret, ret_code);
}

// Calls argument 0; meanwhile the other calls its own argument with tensor argument 1 of this.
static Cell remembered;
FUNCTION_OF(remember_then_call) {
  remembered = args[1];
  return __TVMFuncCall(args[0].pointer, NULL, NULL, 0, ret, ret_code);
}
FUNCTION_OF(call_with_remembered) {
  int32_t code = TENSOR;
  return __TVMFuncCall(args[0].pointer, &remembered, &code, 1, ret, ret_code);
}

// ------------------------------------------------------------------ workspace

FUNCTION_OF(use_workspace) {
  const int64_t nbytes = args[0].number;
  unsigned char* outer = __TVMBackendAllocWorkspace(1, 0, nbytes, 2, 32);
  if (outer == NULL) return -1;
  unsigned char* inner = __TVMBackendAllocWorkspace(1, 0, nbytes, 2, 32);
  if (inner == NULL) return -1;
  memset(outer, 1, nbytes);
  memset(inner, 2, nbytes);
  const int64_t total = outer[0] + outer[nbytes - 1] + inner[0] + inner[nbytes - 1];
  const int64_t misaligned = (uintptr_t)outer % 64 + (uintptr_t)inner % 64;
  if (__TVMBackendFreeWorkspace(1, 0, inner) || __TVMBackendFreeWorkspace(1, 0, outer)) return -1;
  return give(ret, ret_code, INT, misaligned ? -1 : total);
}
// On a device there is none of, the runtime throws.
FUNCTION_OF(workspace_nowhere) {
  if (__TVMBackendAllocWorkspace(9, 0, 64, 2, 32) == NULL) return -1;
  return 0;
}

// ------------------------------------------------------------------ parallel

struct Fill {
  float* data;
  int64_t size;
  int32_t seen_tasks;
  int failing;
  void* function;
};

static int fill_task(int task_id, Env* env, void* data) {
  struct Fill* fill = data;
  __atomic_store_n(&fill->seen_tasks, env->num_task, __ATOMIC_RELAXED);
  const int64_t step = (fill->size + env->num_task - 1) / env->num_task;
  const int64_t end = step * (task_id + 1) < fill->size ? step * (task_id + 1) : fill->size;
  for (int64_t i = step * task_id; i < end; ++i) fill->data[i] = i;
  return 0;
}
FUNCTION_OF(parallel_fill) {
  struct Fill fill = {floats(&args[0]), count(args[0].pointer), 0, 0, NULL};
  const int tasks = num_args > 1 ? (int)args[1].number : 0;
  if (__TVMBackendParallelLaunch(fill_task, &fill, tasks)) return -1;
  return give(ret, ret_code, INT, fill.seen_tasks);
}

// Every task adds up what all tasks wrote before the barrier.
static int barrier_task(int task_id, Env* env, void* data) {
  struct Fill* fill = data;
  fill->data[task_id] = task_id + 1;
  if (__TVMBackendParallelBarrier(task_id, env)) return -1;
  float total = 0;
  for (int i = 0; i < env->num_task; ++i) total += fill->data[i];
  fill->data[env->num_task + task_id] = total;
  __atomic_store_n(&fill->seen_tasks, env->num_task, __ATOMIC_RELAXED);
  return 0;
}
FUNCTION_OF(parallel_barrier) {
  struct Fill fill = {floats(&args[0]), 0, 0, 0, NULL};
  if (__TVMBackendParallelLaunch(barrier_task, &fill, 0)) return -1;
  return give(ret, ret_code, INT, fill.seen_tasks);
}

// Fails in all tasks in the way given: 1 with a message, 2 without, from 3 on with that code.
static int failing_task(int task_id, Env* env, void* data) {
  struct Fill* fill = data;
  if (fill->failing == 1) __TVMAPISetLastError("a task said why");
  return fill->failing > 2 ? fill->failing : fill->failing ? -1 : 0;
}
FUNCTION_OF(parallel_fail) {
  struct Fill fill = {NULL, 0, 0, (int)args[0].number, NULL};
  return __TVMBackendParallelLaunch(failing_task, &fill, 0);
}

// Every task looks the function up, calls it with the tensor and adds nothing.
static int calling_task(int task_id, Env* env, void* data) {
  Cell* args = ((void**)data)[0];
  int32_t* codes = ((void**)data)[1];
  void* function = NULL;
  Cell result;
  int32_t code;
  if (__TVMBackendGetFuncFromEnv(__tvm_module_ctx, args[0].text, &function)) return -1;
  return __TVMFuncCall(function, args + 1, codes + 1, 1, &result, &code);
}
FUNCTION_OF(parallel_call) {
  void* data[] = {args, codes};
  return __TVMBackendParallelLaunch(calling_task, data, 0);
}

// A launch inside a launch, in one task.
static int nested_task(int task_id, Env* env, void* data) {
  struct Fill fill = {NULL, 0, 0, 0, NULL};
  return __TVMBackendParallelLaunch(failing_task, &fill, 0);
}
FUNCTION_OF(parallel_nested) { return __TVMBackendParallelLaunch(nested_task, NULL, 0); }

// ------------------------------------------------------------------ not functions

EXPORT int32_t a_variable = 3;
static int32_t hidden(PARAMETERS) { return 0; }
EXPORT void* address_of_hidden(void) { return (void*)hidden; }
