// SPDX-License-Identifier: Apache-2.0
//
// The graph executor as a module of the runtime, visible to every language that uses its function
// table.
#ifndef TVMGO_CXX_GRAPH_MODULE_EXECUTOR_MODULE_H_
#define TVMGO_CXX_GRAPH_MODULE_EXECUTOR_MODULE_H_

#include <memory>

#include "graph/module/method.h"

namespace tvmgo {

// Wraps a state into a module object of kind "GraphExecutor", whatever the variant.
Value NewExecutorModule(std::unique_ptr<GraphState> state, MethodFinder find);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_EXECUTOR_MODULE_H_
