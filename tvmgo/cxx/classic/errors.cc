// SPDX-License-Identifier: Apache-2.0
#include "classic/errors.h"

#include <utility>

#include "classic/frame.h"

namespace tvmgo::classic {

Ref NewError(const char* kind, const char* message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return TakeRaisedError();
}

Ref TakeRaisedError() {
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  if (error == nullptr) {
    return NewError("RuntimeError", "a function failed without naming its error");
  }
  return Ref::Steal(error);
}

void RecordError(Ref error) {
  Frame* frame = Frame::Current();
  if (frame != nullptr) {
    frame->SetError(std::move(error));
  } else {  // a worker of the runtime, or a thread of the library's own
    TVMFFIErrorSetRaised(error.get());
  }
}

void ThrowError(Ref error) {
  TVMFFIErrorSetRaised(error.get());
  TVM_FFI_CHECK_SAFE_CALL(-1);
  TVM_FFI_UNREACHABLE();
}

}  // namespace tvmgo::classic
