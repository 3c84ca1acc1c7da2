// SPDX-License-Identifier: Apache-2.0
//
// What a user's tensor must be so that kernels can work on it in place of the executor's own, or
// so that nobody takes it for something else.
#ifndef TVMGO_CXX_GRAPH_ZERO_COPY_CHECK_H_
#define TVMGO_CXX_GRAPH_ZERO_COPY_CHECK_H_

#include <tvm/ffi/c_api.h>

#include "ffi/error_context.h"

namespace tvmgo {

// Throws TypeError unless the element types are equal, ValueError unless the shapes are.
void RequireLike(const ErrorContext& what, const DLTensor& expected, const DLTensor& given);

// Throws TypeError for another element type, ValueError for anything else that differs from the
// entry's own tensor. The reference checks neither the element type nor contiguity, and then lets
// kernels misread the memory.
void CheckZeroCopy(const ErrorContext& what, const DLTensor& own, const DLTensor& given,
                   const char* advice = "");

// The part of it that concerns the memory: throws ValueError unless it is on the device, aligned
// and contiguous. `advice` ends the message where another tensor with the same values would do.
void RequireUsableByKernels(const ErrorContext& what, DLDevice device, const DLTensor& given,
                            const char* advice = "");
bool IsUsableByKernels(DLDevice device, const DLTensor& given);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_ZERO_COPY_CHECK_H_
