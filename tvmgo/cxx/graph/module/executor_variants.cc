// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_variants.h"

#include <utility>

#include "graph/debug/debug_executor.h"
#include "graph/debug/debug_methods.h"
#include "graph/module/executor_methods.h"

namespace tvmgo {
namespace {

std::unique_ptr<GraphExecutor> MakePlain(GraphSetup setup) {
  return std::make_unique<GraphExecutor>(std::move(setup));
}

std::unique_ptr<GraphExecutor> MakeDebug(GraphSetup setup) {
  return std::make_unique<DebugExecutor>(std::move(setup), 1.0);
}

std::unique_ptr<GraphExecutor> MakeRuntimeDebug(GraphSetup setup) {
  return std::make_unique<DebugExecutor>(std::move(setup), 1e-6);
}

// The classic runtime had its own calls of CUDA's stream capture. Today's keeps them inside its
// virtual machine, where a graph of kernels cannot reach them.
std::unique_ptr<GraphExecutor> RefuseCudaGraph(GraphSetup) {
  if (!FindGlobal("device_api.cuda")) {
    TVM_FFI_THROW(RuntimeError) << "CUDA graphs need a CUDA device, and the runtime has none: "
                                << "there is no global function device_api.cuda";
  }
  TVM_FFI_THROW(RuntimeError) << "CUDA graphs need the capture of CUDA streams, which "
                              << "libtvm_runtime offers to its own virtual machine only; "
                              << "tvm.graph_executor.create runs the same graph";
  TVM_FFI_UNREACHABLE();
}

}  // namespace

const Variant kPlainVariant = {MakePlain, FindMethod};
const Variant kDebugVariant = {MakeDebug, FindDebugMethod};
const Variant kRuntimeDebugVariant = {MakeRuntimeDebug, FindDebugMethod};
const Variant kCudaGraphVariant = {RefuseCudaGraph, FindMethod};

}  // namespace tvmgo
