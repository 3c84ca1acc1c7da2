// SPDX-License-Identifier: Apache-2.0
//
// The loop below is the hot path: no allocation, no look-up, no reference
// counting, one indirect call.
#include "graph/call_sequence.h"

namespace tvmgo {

CallSequence::CallSequence(const std::vector<KernelCall>& calls, const TVMFFIAny* cells) {
  calls_.reserve(calls.size());
  for (const KernelCall& call : calls) {
    const TVMFFIObjectHandle kernel = call.kernel.get();
    calls_.push_back(PreparedCall{TVMFFIFunctionGetCellPtr(kernel)->safe_call, kernel,
                                  cells + call.first_cell, call.num_args});
  }
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
