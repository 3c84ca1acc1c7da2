// SPDX-License-Identifier: Apache-2.0
//
// Whether a parameter is the one that a graph means. Names and sizes alone do not tell: another
// version of a model has the same of both, and its values under other types are nonsense.
#ifndef TVMGO_CXX_GRAPH_PARAM_CHECK_H_
#define TVMGO_CXX_GRAPH_PARAM_CHECK_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>

#include "ffi/error_context.h"

namespace tvmgo {

// Throws ValueError unless a parameter of `got_bytes` bytes has an input's size, element type and
// shape. `expected` is the input, its type as stored; `got` has the type that its file or its
// owner says.
//
// Types that writers have used for each other are equal: bool, uint1, int1, int4 and int8, as well
// as uint4 and uint8, which all take one byte. So are shapes that differ in dimensions of 1 only.
void RequireParam(const ErrorContext& what, const DLTensor& expected, const DLTensor& got,
                  size_t got_bytes);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_PARAM_CHECK_H_
