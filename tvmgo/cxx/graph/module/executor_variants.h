// SPDX-License-Identifier: Apache-2.0
//
// The kinds of executor there are. All are modules of kind "GraphExecutor"; they differ in the
// functions they have.
#ifndef TVMGO_CXX_GRAPH_MODULE_EXECUTOR_VARIANTS_H_
#define TVMGO_CXX_GRAPH_MODULE_EXECUTOR_VARIANTS_H_

#include <memory>

#include "graph/module/method.h"

namespace tvmgo {

struct Variant {
  std::unique_ptr<GraphState> (*make)(GraphSetup setup);
  MethodFinder find;
};

extern const Variant kPlainVariant;
extern const Variant kDebugVariant;
extern const Variant kRuntimeDebugVariant;  // of TVM 0.5-0.7, which wrote times in microseconds

// There is no variant for CUDA graphs; throws RuntimeError with the reason.
[[noreturn]] void RefuseCudaGraph();

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_EXECUTOR_VARIANTS_H_
