// SPDX-License-Identifier: Apache-2.0
//
// Error objects on their way between the runtime, this code and the call in progress.
#ifndef TVMGO_CXX_CLASSIC_ERRORS_H_
#define TVMGO_CXX_CLASSIC_ERRORS_H_

#include "ffi/ffi.h"

namespace tvmgo::classic {

// A new error object.
Ref NewError(const char* kind, const char* message);

// Takes the error which a failing function of the runtime left behind, and makes one up if there is
// none.
Ref TakeRaisedError();

// Records an error where the call in progress will find it.
void RecordError(Ref error);

// Ends a call of ours with that error.
[[noreturn]] void ThrowError(Ref error);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_ERRORS_H_
