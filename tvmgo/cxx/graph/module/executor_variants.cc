// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_variants.h"

#include <utility>

#include "graph/debug/debug_methods.h"
#include "graph/debug/debug_state.h"
#include "graph/module/executor_methods.h"

namespace tvmgo {
namespace {

std::shared_ptr<const GraphProgram> MakeProgram(GraphSetup setup) {
  return std::make_shared<const GraphProgram>(std::move(setup));
}

std::unique_ptr<GraphState> MakePlain(GraphSetup setup) {
  return std::make_unique<GraphState>(MakeProgram(std::move(setup)));
}

std::unique_ptr<GraphState> MakeDebug(GraphSetup setup) {
  return std::make_unique<DebugState>(MakeProgram(std::move(setup)), 1.0);
}

std::unique_ptr<GraphState> MakeRuntimeDebug(GraphSetup setup) {
  return std::make_unique<DebugState>(MakeProgram(std::move(setup)), 1e-6);
}

}  // namespace

// The classic runtime had its own calls of CUDA's stream capture. Today's keeps them inside its
// virtual machine, where a graph of kernels cannot reach them.
void RefuseCudaGraph() {
  if (!FindGlobal("device_api.cuda")) {
    TVM_FFI_THROW(RuntimeError) << "CUDA graphs need a CUDA device, and the runtime has none: "
                                << "there is no global function device_api.cuda";
  }
  TVM_FFI_THROW(RuntimeError) << "CUDA graphs need the capture of CUDA streams, which "
                              << "libtvm_runtime offers to its own virtual machine only; "
                              << "tvm.graph_executor.create runs the same graph";
  TVM_FFI_UNREACHABLE();
}

const Variant kPlainVariant = {MakePlain, FindMethod};
const Variant kDebugVariant = {MakeDebug, FindDebugMethod};
const Variant kRuntimeDebugVariant = {MakeRuntimeDebug, FindDebugMethod};

}  // namespace tvmgo
