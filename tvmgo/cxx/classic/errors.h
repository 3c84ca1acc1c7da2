// SPDX-License-Identifier: Apache-2.0
//
// Error objects on their way from this code to the call in progress.
#ifndef TVMGO_CXX_CLASSIC_ERRORS_H_
#define TVMGO_CXX_CLASSIC_ERRORS_H_

#include "ffi/raised_error.h"

namespace tvmgo::classic {

// Records an error where the call in progress will find it.
void RecordError(Ref error);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_ERRORS_H_
