// SPDX-License-Identifier: Apache-2.0
//
// The functions of the plain executor module, by name: how packed arguments become calls of
// GraphState.
#ifndef TVMGO_CXX_GRAPH_MODULE_EXECUTOR_METHODS_H_
#define TVMGO_CXX_GRAPH_MODULE_EXECUTOR_METHODS_H_

#include "graph/module/method.h"

namespace tvmgo {

// The method of that name, or null.
const Method* FindMethod(std::string_view name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_EXECUTOR_METHODS_H_
