// SPDX-License-Identifier: Apache-2.0
//
// Runs of the Relax virtual machine: it tells a function of ours before and after each call.
#ifndef TVMGO_CXX_PROFILING_MACHINE_RUN_H_
#define TVMGO_CXX_PROFILING_MACHINE_RUN_H_

#include "ffi/call_args.h"
#include "profiling/profiler.h"

namespace tvmgo {

// (function, argument, ...) -> what the function returns. Meanwhile what InstrumentOfMachine is
// told on this thread counts as parts of this run.
Value RunOfMachine(Profiler* profiler, const CallArgs& args);

// (function, its name, whether it is about to be called, result, argument, ...) -> 0: go on.
Value InstrumentOfMachine(Profiler* profiler, const CallArgs& args);

}  // namespace tvmgo

#endif  // TVMGO_CXX_PROFILING_MACHINE_RUN_H_
