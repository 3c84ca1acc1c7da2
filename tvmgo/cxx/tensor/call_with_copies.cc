// SPDX-License-Identifier: Apache-2.0
#include "tensor/call_with_copies.h"

#include <algorithm>
#include <vector>

#include "capi/kernel_rules.h"
#include "ffi/ffi.h"
#include "tensor/aligned_copies.h"

int TVMGoCallWithCopies(void* callee, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  int code = 0;
  const int failure = tvmgo::CatchErrors([&] {
    TVMFFIAny few[TVMGO_FEW_ARGUMENTS];
    std::vector<TVMFFIAny> many(num_args > TVMGO_FEW_ARGUMENTS ? num_args : 0);
    TVMFFIAny* replaced = many.empty() ? few : many.data();
    std::copy_n(args, num_args, replaced);
    tvmgo::AlignedCopies copies;
    for (int32_t i = 0; i < num_args; ++i) {
      if (args[i].type_index != kTVMFFITensor) continue;
      const DLTensor* tensor = TVMFFITensorGetDLTensorPtr(args[i].v_obj);
      if (!TVMGoNeedsCopy(tensor)) continue;
      replaced[i].v_obj = static_cast<TVMFFIObject*>(copies.CopyOf(*tensor));
    }
    const auto* function = static_cast<const TVMGoCallee*>(callee);
    code = function->call(function->self, replaced, num_args, result);
    if (code == 0) copies.WriteBack();
  });
  return failure != 0 ? failure : code;  // the function's own code, with the error it has raised
}
