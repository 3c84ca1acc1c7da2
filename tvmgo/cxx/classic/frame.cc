// SPDX-License-Identifier: Apache-2.0
#include "classic/frame.h"

namespace tvmgo::classic {

__thread Frame* Frame::current_ = nullptr;

const Slot* Frame::FindSlot(const void* pointer) const {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  for (const Frame* frame = this; frame != nullptr; frame = frame->parent_) {
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(frame->slots_);
    if (offset / sizeof(Slot) < frame->num_slots_ && offset % sizeof(Slot) == 0) {
      return frame->slots_ + offset / sizeof(Slot);
    }
  }
  return nullptr;
}

Ref NewError(const char* kind, const char* message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return TakeRaised();
}

Ref TakeRaised() {
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  if (error == nullptr) {
    return NewError("RuntimeError", "a function failed without naming its error");
  }
  return Ref::Steal(error);
}

void Record(Ref error) {
  Frame* frame = Frame::Current();
  if (frame != nullptr) {
    frame->SetError(std::move(error));
  } else {  // a worker of the runtime, or a thread of the library's own
    TVMFFIErrorSetRaised(error.get());
  }
}

void Throw(Ref error) {
  TVMFFIErrorSetRaised(error.get());
  TVM_FFI_CHECK_SAFE_CALL(-1);
  TVM_FFI_UNREACHABLE();
}

}  // namespace tvmgo::classic
