// SPDX-License-Identifier: Apache-2.0
#include "tensor/call_with_copies.h"

#include <algorithm>
#include <vector>

#include "capi/kernel_rules.h"
#include "ffi/ffi.h"
#include "tensor/aligned_copies.h"

namespace tvmgo {
namespace {

// The tensor of an argument if the function cannot work on it, or null.
const DLTensor* NotReadyForKernels(const TVMFFIAny& arg) {
  if (arg.type_index != kTVMFFITensor) return nullptr;
  const DLTensor* tensor = TVMFFITensorGetDLTensorPtr(arg.v_obj);
  return TVMGoNeedsCopy(tensor) ? tensor : nullptr;
}

const DLTensor* BareOnHost(const TVMFFIAny& arg) {
  return TVMGoIsBareOnHost(&arg) ? static_cast<const DLTensor*>(arg.v_ptr) : nullptr;
}

int CallWithCopies(const DLTensor* (*to_copy)(const TVMFFIAny& arg), void* callee,
                   const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  int code = 0;
  const int failure = CatchErrors([&] {
    TVMFFIAny few[TVMGO_FEW_ARGUMENTS];
    std::vector<TVMFFIAny> many(num_args > TVMGO_FEW_ARGUMENTS ? num_args : 0);
    TVMFFIAny* replaced = many.empty() ? few : many.data();
    std::copy_n(args, num_args, replaced);
    AlignedCopies copies;
    for (int32_t i = 0; i < num_args; ++i) {
      const DLTensor* tensor = to_copy(args[i]);
      if (tensor == nullptr) continue;
      replaced[i].type_index = kTVMFFITensor;
      replaced[i].v_obj = static_cast<TVMFFIObject*>(copies.CopyOf(*tensor));
    }
    const auto* function = static_cast<const TVMGoCallee*>(callee);
    code = function->call(function->self, replaced, num_args, result);
    if (code == 0) copies.WriteBack();
  });
  return failure != 0 ? failure : code;  // the function's own code, with the error it has raised
}

}  // namespace
}  // namespace tvmgo

int TVMGoCallWithCopies(void* callee, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  return tvmgo::CallWithCopies(tvmgo::NotReadyForKernels, callee, args, num_args, result);
}

int TVMGoCallWithOwned(void* callee, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  return tvmgo::CallWithCopies(tvmgo::BareOnHost, callee, args, num_args, result);
}
