// SPDX-License-Identifier: Apache-2.0
//
// One running call of a classic function, kept on the stack and found from the thread. It answers
// what the library's own calls into the runtime need to know:
//
//   - which module is calling, because names are looked up in that module's imports first;
//   - which DLTensor pointers are private copies of ours, and of which tensor objects;
//   - what went wrong. The classic runtime kept the last message of a thread for ever, so that a
//     function failing silently showed an old one. Here an error belongs to the call it was set in.
//
//   top-level call          frame <- current
//     callback into Python    (the same)
//       another classic call  frame -> parent     <- current
//   worker of a parallel launch: a frame whose parent is the launching frame, on another thread
#ifndef TVMGO_CXX_CLASSIC_FRAME_H_
#define TVMGO_CXX_CLASSIC_FRAME_H_

#include <utility>

#include "ffi/ffi.h"

namespace tvmgo::classic {

class Context;

// The private copy of one tensor argument.
struct TensorArg {
  DLTensor tensor;           // what the library sees
  TVMFFIObjectHandle owner;  // the tensor object behind it, borrowed; null for a bare DLTensor
};

class Frame {
 public:
  // A call made by this thread. The tensor_args are the private copies among its arguments.
  Frame(Context* context, TVMFFIObjectHandle module, const TensorArg* tensor_args,
        size_t num_tensor_args)
      : context_(context),
        module_(module),
        tensor_args_(tensor_args),
        num_tensor_args_(num_tensor_args),
        parent_(current_),
        previous_(current_) {
    current_ = this;
  }
  // A worker's part of a call made by another thread; none when the library made it on its own.
  explicit Frame(const Frame* launching)
      : context_(launching == nullptr ? nullptr : launching->context_),
        module_(launching == nullptr ? nullptr : launching->module_),
        parent_(launching),
        previous_(current_) {
    current_ = this;
  }
  ~Frame() {
    current_ = previous_;
    if (error_ != nullptr) TakeError();
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // The innermost call of this thread, or null outside all of them.
  static Frame* Current() { return current_; }

  Context* context() const { return context_; }
  TVMFFIObjectHandle module() const { return module_; }  // borrowed

  // The copy a pointer from the library points to, in this call or one around it; or null.
  const TensorArg* FindTensorArg(const void* pointer) const;

  // Replaces an earlier error.
  void SetError(Ref error) { Ref::Steal(std::exchange(error_, error.Release())); }
  // The error set since the last call of this, or null.
  Ref TakeError() { return Ref::Steal(std::exchange(error_, nullptr)); }

 private:
  // Not thread_local, which would ask at each use whether it has been initialised. Initial-exec:
  // two instructions instead of a call, for eight bytes of the space the system keeps for this.
#if defined(__linux__) && defined(__GLIBC__)
  __attribute__((tls_model("initial-exec")))
#endif
  static __thread Frame* current_;

  Context* context_;
  TVMFFIObjectHandle module_;
  const TensorArg* tensor_args_ = nullptr;
  size_t num_tensor_args_ = 0;
  const Frame* parent_;
  Frame* previous_;
  TVMFFIObjectHandle error_ = nullptr;  // owned
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_FRAME_H_
