// SPDX-License-Identifier: Apache-2.0
//
// Errors that travel through the runtime's per-thread place for them: made, taken out, thrown.
#ifndef TVMGO_CXX_FFI_RAISED_ERROR_H_
#define TVMGO_CXX_FFI_RAISED_ERROR_H_

#include "ffi/ffi.h"

namespace tvmgo {

// A new error object.
Ref NewError(const char* kind, const char* message);

// Takes the error that a failing function left behind on this thread; null if there is none.
Ref TakeRaisedErrorIfAny();

// The same of a function of the runtime: an error is made up if there is none.
Ref TakeRaisedError();

// Ends a call of ours with that error.
[[noreturn]] void ThrowError(const Ref& error);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_RAISED_ERROR_H_
