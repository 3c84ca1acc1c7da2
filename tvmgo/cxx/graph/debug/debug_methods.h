// SPDX-License-Identifier: Apache-2.0
//
// The functions of the debug executor's module, by name; the plain executor's are among them.
#ifndef TVMGO_CXX_GRAPH_DEBUG_DEBUG_METHODS_H_
#define TVMGO_CXX_GRAPH_DEBUG_DEBUG_METHODS_H_

#include "graph/module/method.h"

namespace tvmgo {

// For states that are a DebugState. The method of that name, or null.
const Method* FindDebugMethod(std::string_view name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_DEBUG_DEBUG_METHODS_H_
