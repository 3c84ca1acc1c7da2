// SPDX-License-Identifier: Apache-2.0
//
// A profiler as a module of the runtime, which also sees what the Relax virtual machine does.
#ifndef TVMGO_CXX_PROFILING_PROFILER_MODULE_H_
#define TVMGO_CXX_PROFILING_PROFILER_MODULE_H_

#include <memory>

#include "ffi/call_args.h"
#include "profiling/profiler.h"

namespace tvmgo {

// () -> a module of kind "Profiler" with the functions
//
//   start(most calls), stop(), abandon()   see Profiler
//   is_on()
//   run(function, argument, ...)           calls a function of a machine, and records it
//   instrument(...)                        what machines call before and after each function, see
//                                          set_instrument of theirs
Value NewProfiler(const CallArgs& args);

// The profiler of such a module; TypeError for another object.
std::shared_ptr<Profiler> ProfilerArg(const CallArgs& args, int32_t i);

}  // namespace tvmgo

#endif  // TVMGO_CXX_PROFILING_PROFILER_MODULE_H_
