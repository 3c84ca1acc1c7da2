// SPDX-License-Identifier: Apache-2.0
// Runs a graph without any runtime of TVM: driver LIBRARY PLAN VALUES RESULTS.
//
// The plan is text: the sizes of all pools; of each tensor pool, type code, bits and shape; of each
// call the kernel's name and its tensors; the tensors whose values are in VALUES; those whose go to
// RESULTS. Every list begins with its length.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  void* data;
  int32_t device_type, device_id, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byte_offset;
} Tensor;

typedef int Kernel(void** args, int* codes, int count, int64_t* result, int* code, void* resource);
typedef struct {
  void* sync;
  int32_t tasks;
} Group;

static FILE* plan;

static void Fail(const char* what, const char* name) {
  fprintf(stderr, "%s %s\n", what, name);
  exit(1);
}

static int64_t Number(void) {
  long long value;
  if (fscanf(plan, "%lld", &value) != 1) Fail("the plan ends", "");
  return value;
}

static size_t BytesOf(const Tensor* tensor) {
  size_t bytes = (tensor->bits + 7) / 8;
  for (int i = 0; i < tensor->ndim; ++i) bytes *= tensor->shape[i];
  return bytes;
}

// What kernels need of a runtime.

static void SetLastError(const char* message) { fprintf(stderr, "%s\n", message); }

static void* AllocWorkspace(int type, int id, uint64_t bytes, int code, int bits) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static int FreeWorkspace(int type, int id, void* memory) {
  free(memory);
  return 0;
}

static int ParallelLaunch(int (*task)(int, Group*, void*), void* data, int tasks) {
  Group group = {NULL, tasks == 0 ? 2 : tasks};
  for (int i = 0; i < group.tasks; ++i) {
    if (task(i, &group, data) != 0) return -1;
  }
  return 0;
}

static void Set(void* library, const char* variable, void* address) {
  void** place = dlsym(library, variable);
  if (place == NULL) Fail("there is no variable", variable);
  *place = address;
}

static FILE* Open(const char* path, const char* mode) {
  FILE* file = fopen(path, mode);
  if (file == NULL) Fail("cannot open", path);
  return file;
}

static Tensor* ReadTensors(int64_t* count) {
  const int64_t num_pools = Number();
  void** pools = malloc(num_pools * sizeof(void*));
  for (int64_t i = 0; i < num_pools; ++i) pools[i] = aligned_alloc(64, (Number() + 64) / 64 * 64);
  *count = Number();
  Tensor* tensors = calloc(*count, sizeof(Tensor));
  for (int64_t i = 0; i < *count; ++i) {
    Tensor* tensor = &tensors[i];
    tensor->data = pools[Number()];
    tensor->device_type = tensor->lanes = 1;
    tensor->code = Number();
    tensor->bits = Number();
    tensor->ndim = Number();
    tensor->shape = malloc((tensor->ndim + 1) * sizeof(int64_t));
    for (int j = 0; j < tensor->ndim; ++j) tensor->shape[j] = Number();
  }
  return tensors;
}

static void Call(void* library, Tensor* tensors) {
  char name[4096];
  if (fscanf(plan, "%4095s", name) != 1) Fail("the plan ends", "");
  const int count = Number();
  void** args = malloc(count * sizeof(void*));
  int* codes = malloc(count * sizeof(int));
  for (int i = 0; i < count; ++i) {
    args[i] = &tensors[Number()];
    codes[i] = 7;  // a tensor
  }
  const Tensor *first = args[0], *last = args[count - 1];
  if (strcmp(name, "__copy") == 0) {
    memcpy(last->data, first->data, BytesOf(first));
  } else if (strcmp(name, "__nop") != 0) {
    Kernel* kernel = (Kernel*)dlsym(library, name);
    if (kernel == NULL) Fail("there is no kernel", name);
    int64_t result;
    int code = 4;  // none
    if (kernel(args, codes, count, &result, &code, NULL) != 0) Fail("failed:", name);
  }
  free(args);
  free(codes);
}

int main(int argc, char** argv) {
  if (argc != 5) Fail("expected", "LIBRARY PLAN VALUES RESULTS");
  void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) Fail("cannot load:", dlerror());
  Set(library, "__TVMAPISetLastError", SetLastError);
  Set(library, "__TVMBackendAllocWorkspace", AllocWorkspace);
  Set(library, "__TVMBackendFreeWorkspace", FreeWorkspace);
  Set(library, "__TVMBackendParallelLaunch", ParallelLaunch);
  plan = Open(argv[2], "r");
  FILE* values = Open(argv[3], "rb");
  FILE* results = Open(argv[4], "wb");
  int64_t count;
  Tensor* tensors = ReadTensors(&count);
  for (int64_t i = 0, n = Number(); i < n; ++i) {
    const Tensor* tensor = &tensors[Number()];
    const size_t bytes = BytesOf(tensor);
    if (fread(tensor->data, 1, bytes, values) != bytes) Fail("too few values in", argv[3]);
  }
  for (int64_t i = 0, n = Number(); i < n; ++i) Call(library, tensors);
  for (int64_t i = 0, n = Number(); i < n; ++i) {
    const Tensor* tensor = &tensors[Number()];
    fwrite(tensor->data, 1, BytesOf(tensor), results);
  }
  return fclose(results);
}
