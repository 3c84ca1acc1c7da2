// SPDX-License-Identifier: Apache-2.0
//
// What no child of a fork may find taken.
#ifndef TVMGO_CXX_FFI_FORKS_H_
#define TVMGO_CXX_FFI_FORKS_H_

#include <mutex>

#include "ffi/call_args.h"
#include "ffi/ffi.h"

namespace tvmgo {

// From now on a fork waits until nobody has the mutex, which is never freed. Whoever has it takes
// neither the GIL nor another such mutex. Does nothing for one that forks await already.
void ForksAwait(std::mutex* mutex);

// () -> None. The same for the mutex that libtvm_runtime takes whenever a virtual machine starts,
// and whenever one frees memory.
Value ForksAwaitMachineMemory(const CallArgs& args);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_FORKS_H_
