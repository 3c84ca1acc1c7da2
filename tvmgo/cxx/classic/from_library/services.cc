// SPDX-License-Identifier: Apache-2.0
//
// An error is recorded in the frame of the call in progress and the library is told
// by a code, which it hands on; the frame's owner raises the error in the end.
#include "classic/from_library/services.h"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

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

int FuncCall(void* function, Cell* args, int32_t* codes, int num_args, Cell* result,
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

// A parallel launch in progress, shared by its workers.
//
// The runtime loses what a task has to say about its failure: with one worker even that it failed.
// So tasks always succeed as far as the runtime can see, and the first failure is kept here.
class Launch {
 public:
  Launch(ParallelTask task, void* data) : task_(task), data_(data), frame_(Frame::Current()) {}

  void Run(int num_task) {
    if (siblings_ > 1) {  // in a worker the runtime says so too; in the launching thread it hangs
      TVM_FFI_THROW(RuntimeError) << "Cannot launch parallel job inside worker, consider fuse then "
                                  << "parallel";
    }
    if (siblings_ == 1) {  // the runtime's way with one worker, whatever was asked for
      std::atomic<int32_t> unused{0};
      ParallelEnv env{&unused, 1};
      RunTask(0, &env, this);
    } else {
      Check(KnownRuntimeServices().parallel_launch(RunTask, this, num_task));
    }
    if (error_) ThrowError(std::move(error_));
  }

 private:
  static int RunTask(int task_id, ParallelEnv* env, void* self) {
    auto* launch = static_cast<Launch*>(self);
    Frame frame(launch->frame_);
    const int outside = std::exchange(siblings_, env->num_task);
    int code = 0;
    if (CatchAndRecord([&] { code = launch->task_(task_id, env, launch->data_); }) != 0) code = -1;
    siblings_ = outside;
    if (code != 0) launch->Keep(frame.TakeError(), code);
    return 0;
  }

  void Keep(Ref error, int code) {
    if (!error) {
      const std::string message =
          "a parallel task failed without an error message (code " + std::to_string(code) + ")";
      error = NewError("RuntimeError", message.c_str());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) error_ = std::move(error);
  }

  // How many tasks the launch has to which the one on this thread belongs; 0 outside all tasks.
  static thread_local int siblings_;

  ParallelTask task_;
  void* data_;
  const Frame* frame_;  // of the launching call; null in a thread of the library's own
  std::mutex mutex_;
  Ref error_;
};

thread_local int Launch::siblings_ = 0;

int ParallelLaunch(ParallelTask task, void* data, int num_task) {
  return CatchAndRecord([=] { Launch(task, data).Run(num_task); });
}

int ParallelBarrier(int task_id, ParallelEnv* env) {
  return CatchAndRecord([=] { Check(KnownRuntimeServices().parallel_barrier(task_id, env)); });
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
