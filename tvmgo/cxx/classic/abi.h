// SPDX-License-Identifier: Apache-2.0
//
// The calling convention of libraries compiled by TVM 0.2 to 0.20, written down: values travel as a
// union, their types in an array beside them. DLTensor has not changed since.
//
// Libraries of 0.2-0.6 take the first three parameters of a function only. Calling them with six is
// safe in every C convention TVM was built for: the caller cleans up, the callee reads what it
// knows.
#ifndef TVMGO_CXX_CLASSIC_ABI_H_
#define TVMGO_CXX_CLASSIC_ABI_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <cstdint>

#include "parallel/launch.h"

namespace tvmgo::classic {

// What a pointer of code kBytes points to; today's byte array has the same layout.
using Bytes = TVMFFIByteArray;

union TVMValue {
  int64_t number;
  double real;
  void* pointer;
  const char* text;
  DLDataType dtype;
  DLDevice device;
};
static_assert(sizeof(TVMValue) == 8, "a value is eight bytes");

enum Code : int32_t {
  kInt = 0,   // bool as well
  kUInt = 1,  // not used by generated code; hand-written libraries return it
  kFloat = 2,
  kOpaque = 3,
  kNull = 4,
  kDType = 5,
  kDevice = 6,
  kTensor = 7,  // DLTensor*, borrowed
  kObject = 8,
  kModule = 9,
  kFunction = 10,
  kText = 11,  // ends with NUL
  kBytes = 12,
  kNDArray = 13,    // an object whose first visible bytes are a DLTensor
  kRValueRef = 14,  // pointer to an object pointer
  kBool = 15,       // 0.18 to 0.20 only; before, the first extension type
};

// How bool was described: one byte per element all the same.
constexpr DLDataType kClassicBool = {kDLUInt, 1, 1};

using PackedFunction = int32_t (*)(TVMValue* args, int32_t* codes, int32_t num_args,
                                   TVMValue* result, int32_t* result_code, void* resource);

using parallel::ParallelEnv;
using parallel::ParallelTask;

// The functions a library may use. They reach it through a variable named "__" + function which the
// loader fills, or, in libraries of the `c` target, as ordinary undefined symbols.
struct ServiceTable {
  int (*func_call)(void* function, TVMValue* args, int32_t* codes, int num_args, TVMValue* result,
                   int32_t* result_code);
  void (*set_last_error)(const char* message);
  int (*get_func_from_env)(void* context, const char* name, void** function);
  void* (*alloc_workspace)(int device_type, int device_id, uint64_t nbytes, int code_hint,
                           int bits_hint);
  int (*free_workspace)(int device_type, int device_id, void* memory);
  int (*parallel_launch)(ParallelTask task, void* data, int num_task);
  int (*parallel_barrier)(int task_id, ParallelEnv* env);
  int (*register_system_lib_symbol)(const char* name, void* address);
  int (*run_once)(void** handle, int (*body)(void*), void* data, int nbytes);
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_ABI_H_
