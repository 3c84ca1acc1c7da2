// SPDX-License-Identifier: Apache-2.0
//
// An error is recorded in the frame of the call in progress and the library is told
// by a code, which it hands on; the frame's owner raises the error in the end.
#include "classic/from_library/services.h"

#include "classic/errors.h"
#include "classic/frame.h"
#include "classic/from_library/callback.h"
#include "classic/from_library/runtime_services.h"
#include "classic/loading/context.h"
#include "classic/loading/system_symbols.h"
#include "ffi/ffi.h"

namespace tvmgo::classic {
namespace {

// Runs `body`: 0, or -1 with the error recorded.
template <typename Body>
int CatchAndRecord(Body&& body) {
  if (CatchErrors(body) == 0) return 0;
  RecordError(TakeRaisedError());
  return -1;
}

// The runtime reports by a code and a raised error, or by throwing.
void Check(int code) {
  if (code != 0) ThrowError(TakeRaisedError());
}

int FuncCall(void* function, TVMValue* args, int32_t* codes, int num_args, TVMValue* result,
             int32_t* result_code) {
  return CatchAndRecord([=] { CallBack(function, args, codes, num_args, result, result_code); });
}

void SetLastError(const char* message) {
  RecordError(NewError("RuntimeError", message != nullptr ? message : ""));
}

int GetFuncFromEnv(void* context, const char* name, void** function) {
  return CatchAndRecord([=] {
    if (context == nullptr || name == nullptr) {
      TVM_FFI_THROW(RuntimeError) << "TVMBackendGetFuncFromEnv: the library gave no "
                                  << (name == nullptr ? "name" : "context");
    }
    const Frame* frame = Frame::Current();
    auto* asking = static_cast<Context*>(context);
    const bool is_own = frame != nullptr && frame->context() == asking;
    *function = asking->LookUp(name, is_own ? frame->module() : nullptr);
    if (*function == nullptr) {
      TVM_FFI_THROW(RuntimeError) << "Cannot find function " << name
                                  << " in the imported modules or global registry";
    }
  });
}

void* AllocWorkspace(int device_type, int device_id, uint64_t nbytes, int code_hint,
                     int bits_hint) {
  void* memory = nullptr;
  CatchAndRecord([&] {
    memory = KnownRuntimeServices().alloc_workspace(device_type, device_id, nbytes, code_hint,
                                                    bits_hint);
    if (memory == nullptr) ThrowError(TakeRaisedError());
  });
  return memory;
}

int FreeWorkspace(int device_type, int device_id, void* memory) {
  return CatchAndRecord(
      [=] { Check(KnownRuntimeServices().free_workspace(device_type, device_id, memory)); });
}

// A parallel task of a library, run in a frame of the call that launched it.
struct TaskInFrame {
  ParallelTask task;
  void* data;
  const Frame* launching;  // null in a thread of the library's own

  static int Run(int task_id, ParallelEnv* env, void* self) {
    const TaskInFrame& launch = *static_cast<TaskInFrame*>(self);
    Frame frame(launch.launching);
    int code = 0;
    if (CatchAndRecord([&] { code = launch.task(task_id, env, launch.data); }) != 0) code = -1;
    if (code == 0) return 0;
    if (const Ref error = frame.TakeError()) TVMFFIErrorSetRaised(error.get());
    return code;
  }
};

int ParallelLaunch(ParallelTask task, void* data, int num_task) {
  return CatchAndRecord([=] {
    TaskInFrame in_frame{task, data, Frame::Current()};
    parallel::Launch(TaskInFrame::Run, &in_frame, num_task);
  });
}

int ParallelBarrier(int task_id, ParallelEnv* env) {
  return CatchAndRecord([=] { parallel::AwaitSiblings(task_id, *env); });
}

int RegisterSystemLibSymbol(const char* name, void* address) {
  return CatchAndRecord([=] { SystemSymbols::Register(name, address); });
}

int RunOnce(void** handle, int (*body)(void*), void* data, int) {
  if (*handle != nullptr) return 0;
  *handle = reinterpret_cast<void*>(1);
  return body(data);
}

}  // namespace

const ServiceTable& Services() {
  static constexpr ServiceTable table = {
      FuncCall,       SetLastError,    GetFuncFromEnv,          AllocWorkspace, FreeWorkspace,
      ParallelLaunch, ParallelBarrier, RegisterSystemLibSymbol, RunOnce,
  };
  return table;
}

}  // namespace tvmgo::classic
