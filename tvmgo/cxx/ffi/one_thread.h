// SPDX-License-Identifier: Apache-2.0
//
// Functions of a module that serves one thread at a time, and does not check it itself.
#ifndef TVMGO_CXX_FFI_ONE_THREAD_H_
#define TVMGO_CXX_FFI_ONE_THREAD_H_

#include "ffi/call_args.h"
#include "ffi/ffi.h"

namespace tvmgo {

// (module, function, name) -> a function that calls `function`, one of the module's, and throws
// BusyError while another thread is in any function that was made of the same module. A thread may
// call from within its own call.
Value OneThreadAtATime(const CallArgs& args);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_ONE_THREAD_H_
