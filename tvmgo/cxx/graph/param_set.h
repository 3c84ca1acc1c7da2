// SPDX-License-Identifier: Apache-2.0
//
// The parameters of a program: for each of its inputs the tensor with the value, of the input's
// shape and element type and on its device, or none where the input is no parameter.
//
// Nothing in a set is ever written to again. States have the tensors in common, not the list, so a
// parameter that the last of them has replaced is freed. What keeps that true:
//
//   - A state writes a value into memory of its own, where nobody else can see it.
//   - When it is cloned, that memory becomes part of a set as it is, without a copy, and the state
//     writes there no more: its next value goes into new memory.
//   - Memory that was handed out, by `get_input` for one, can be written to by whoever got it. It
//     stays the state's own for good: a set gets a copy of it. What is in a set is not handed out;
//     the state takes a copy for its own first.
//
// Operators get parameters as arguments; to write to what is their input has never been theirs.
#ifndef TVMGO_CXX_GRAPH_PARAM_SET_H_
#define TVMGO_CXX_GRAPH_PARAM_SET_H_

#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// By input index; empty when there are no parameters.
using ParamSet = std::vector<Ref>;

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_PARAM_SET_H_
