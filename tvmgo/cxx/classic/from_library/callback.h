// SPDX-License-Identifier: Apache-2.0
//
// A classic library calling a function of the runtime: values from its world into ours and back.
#ifndef TVMGO_CXX_CLASSIC_FROM_LIBRARY_CALLBACK_H_
#define TVMGO_CXX_CLASSIC_FROM_LIBRARY_CALLBACK_H_

#include "classic/abi.h"

namespace tvmgo::classic {

// Throws the function's own error, or TypeError for a value that has no meaning here.
void CallBack(void* function, const TVMValue* args, const int32_t* codes, int32_t num_args,
              TVMValue* result, int32_t* result_code);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_FROM_LIBRARY_CALLBACK_H_
