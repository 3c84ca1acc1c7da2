// SPDX-License-Identifier: Apache-2.0
#include "ffi/raised_error.h"

namespace tvmgo {

Ref NewError(const char* kind, const char* message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return TakeRaisedErrorIfAny();
}

Ref TakeRaisedErrorIfAny() {
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  return Ref::Steal(error);
}

Ref TakeRaisedError() {
  if (Ref error = TakeRaisedErrorIfAny()) return error;
  return NewError("RuntimeError", "a function failed without naming its error");
}

void ThrowError(const Ref& error) {
  TVMFFIErrorSetRaised(error.get());
  TVM_FFI_CHECK_SAFE_CALL(-1);
  TVM_FFI_UNREACHABLE();
}

}  // namespace tvmgo
