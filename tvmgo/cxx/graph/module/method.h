// SPDX-License-Identifier: Apache-2.0
//
// One function of an executor module, and how its name is found. Each variant has a table of its
// own and falls through to the plain executor's.
#ifndef TVMGO_CXX_GRAPH_MODULE_METHOD_H_
#define TVMGO_CXX_GRAPH_MODULE_METHOD_H_

#include <string_view>

#include "ffi/bound_method.h"
#include "graph/graph_state.h"

namespace tvmgo {

// When a method may be called: while no other call has the turn, or as soon as none has it, or at
// any time, because it reads nothing but the program.
enum class When : uint8_t { kFree, kNext, kAnytime };

struct Method {
  const char* name;
  int32_t min_args;
  int32_t max_args;
  // The state is of the variant whose table holds the method.
  Value (*call)(GraphState* state, const CallArgs& args);
  When when = When::kFree;
};

using MethodFinder = const Method* (*)(std::string_view name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_METHOD_H_
