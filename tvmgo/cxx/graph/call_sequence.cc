// SPDX-License-Identifier: Apache-2.0
//
// The loop below is the hot path: no allocation, no look-up, no reference
// counting, one indirect call.
#include "graph/call_sequence.h"

#include <utility>

namespace tvmgo {

void CallSequence::Add(Ref kernel, uint32_t first_cell, uint32_t num_args) {
  PreparedCall call{};
  call.call = TVMFFIFunctionGetCellPtr(kernel.get())->safe_call;
  call.kernel = kernel.get();
  call.first_cell = first_cell;
  call.num_args = static_cast<int32_t>(num_args);
  calls_.push_back(call);
  kernels_.push_back(std::move(kernel));
}

void CallSequence::Bind(const TVMFFIAny* cells) {
  for (PreparedCall& call : calls_) call.args = cells + call.first_cell;
}

void CallSequence::Run() const {
  Value result;
  for (const PreparedCall& call : calls_) {
    TVM_FFI_CHECK_SAFE_CALL(call.call(call.kernel, call.args, call.num_args, result.cell()));
    if (!result.is_none()) result.Reset();  // kernels write to their outputs; a result is nobody's
  }
}

void CallSequence::RunOne(uint32_t index) const {
  const PreparedCall& call = calls_[index];
  Value result;
  TVM_FFI_CHECK_SAFE_CALL(call.call(call.kernel, call.args, call.num_args, result.cell()));
}

}  // namespace tvmgo
