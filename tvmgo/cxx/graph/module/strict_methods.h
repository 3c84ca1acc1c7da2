// SPDX-License-Identifier: Apache-2.0
//
// What the Python helper calls in place of the executor's functions of the same names. They are
// under the name "strict.<name>", and stricter: an unknown name is a KeyError, tensors must have
// the very shape and element type. Nothing here hands out a tensor of the executor, so that
// parameters stay shared.
#ifndef TVMGO_CXX_GRAPH_MODULE_STRICT_METHODS_H_
#define TVMGO_CXX_GRAPH_MODULE_STRICT_METHODS_H_

#include "graph/module/method.h"

namespace tvmgo {

// The method of that name after "strict.", or null:
//
//   get_input_type(key)            -> element type of an input, or None
//   set_input([key, tensor,] ...)                     sets all or none
//   set_input_zero_copy(key, tensor, read only, may copy)   see GraphState::Lending
//   get_num_copies()               -> how many copies that has cost
//   set_output_zero_copy(key, tensor)
//   get_input(key, tensor), get_output(key, tensor)    copy into the tensor
//   run_from_inputs([key, tensor,] ...)  -> copies of all outputs, each on its own device
//   try_run_from_inputs(...)             the same, but does not wait
//   set_profiler(profiler, label)        see GraphState::set_profiler
//   describe_graph()                     [nodes, outputs], see graph_outline.h
const Method* FindStrictMethod(std::string_view name);

// The name after "strict.", or empty.
std::string_view StrictName(std::string_view name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_STRICT_METHODS_H_
