// SPDX-License-Identifier: Apache-2.0
//
// Timing calls of a function. The runtime's own evaluator is deaf to signals meanwhile.
#ifndef TVMGO_CXX_FFI_TIME_EVALUATOR_H_
#define TVMGO_CXX_FFI_TIME_EVALUATOR_H_

#include "ffi/call_args.h"
#include "ffi/ffi.h"

namespace tvmgo {

// (function, device type, device id, number, repeat, min_repeat_ms, limit_zero_time_iterations,
// cooldown_interval_ms, repeats_to_cooldown) -> a function that calls `function` with its arguments
// as TimeRepeats says and returns the means as bytes, a float64 each: what
// `runtime.RPCTimeEvaluator` returns.
Value MakeTimeEvaluator(const CallArgs& args);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_TIME_EVALUATOR_H_
