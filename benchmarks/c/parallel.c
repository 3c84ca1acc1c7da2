// SPDX-License-Identifier: Apache-2.0
// A small network of dense layers, each a parallel loop: as TVM compiles it, on the pool of the
// runtime, and as a C programmer would write it, with OpenMP.
#include <tvm/ffi/c_api.h>

#define VISIBLE __attribute__((visibility("default")))
#define KERNEL(name)                                                                \
  VISIBLE int __tvm_ffi_##name(void* self, const TVMFFIAny* args, int32_t num_args, \
                               TVMFFIAny* result)

enum { SIZE = 224, LAYERS = 3 };

typedef struct {
  void* sync_handle;
  int32_t num_task;
} Env;

VISIBLE int (*__TVMBackendParallelLaunch)(int (*)(int, Env*, void*), void*, int);

typedef struct {
  const float* from;
  const float* weights;  // SIZE rows of SIZE numbers
  float* to;
} Layer;

static float* numbers(const TVMFFIAny* arg) {
  return ((DLTensor*)((char*)arg->v_ptr + sizeof(TVMFFIObject)))->data;
}

// The part of a layer that one of `num_task` has to do.
static void run_part(const Layer* layer, int task, int num_task) {
  enum { LANES = 16 };  // that many sums at once are vectors
  const int step = (SIZE + num_task - 1) / num_task;
  for (int row = step * task; row < SIZE && row < step * (task + 1); ++row) {
    const float* weights = layer->weights + row * SIZE;
    float sums[LANES] = {0}, sum = 0;
    for (int i = 0; i < SIZE; i += LANES) {
      for (int lane = 0; lane < LANES; ++lane) {
        sums[lane] += layer->from[i + lane] * weights[i + lane];
      }
    }
    for (int lane = 0; lane < LANES; ++lane) sum += sums[lane];
    layer->to[row] = sum > 0 ? sum : 0;
  }
}

static int task(int task_id, Env* env, void* layer) {
  run_part(layer, task_id, env->num_task);
  return 0;
}

static int run_on_pool(Layer* layer, int num_task) {
  return __TVMBackendParallelLaunch(task, layer, num_task);
}

static int run_with_openmp(Layer* layer, int num_task) {
#pragma omp parallel for num_threads(num_task) schedule(static, 1)
  for (int i = 0; i < num_task; ++i) run_part(layer, i, num_task);
  return 0;
}

// (weights, values, tasks): values[i + 1] = relu(weights[i] @ values[i]).
static int run_layers(const TVMFFIAny* args, int (*run)(Layer*, int)) {
  for (int i = 0; i < LAYERS; ++i) {
    float* values = numbers(&args[1]) + i * SIZE;
    Layer layer = {values, numbers(&args[0]) + i * SIZE * SIZE, values + SIZE};
    if (run(&layer, (int)args[2].v_int64) != 0) return -1;
  }
  return 0;
}
KERNEL(layers_on_pool) { return run_layers(args, run_on_pool); }
KERNEL(layers_with_openmp) { return run_layers(args, run_with_openmp); }
