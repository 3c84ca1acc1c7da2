// SPDX-License-Identifier: Apache-2.0
#include "classic/frame.h"

namespace tvmgo::classic {

__thread Frame* Frame::current_ = nullptr;

const TensorArg* Frame::FindTensorArg(const void* pointer) const {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  for (const Frame* frame = this; frame != nullptr; frame = frame->parent_) {
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(frame->tensor_args_);
    if (offset / sizeof(TensorArg) < frame->num_tensor_args_ && offset % sizeof(TensorArg) == 0) {
      return frame->tensor_args_ + offset / sizeof(TensorArg);
    }
  }
  return nullptr;
}

}  // namespace tvmgo::classic
