// SPDX-License-Identifier: Apache-2.0
#include "run_graph.h"

#include <cstring>
#include <memory>
#include <utility>

#include "demand.h"
#include "ffi/module_object.h"
#include "graph/graph_executor.h"
#include "tensor/tensor_copy.h"

namespace fuzz {
namespace {

using tvmgo::TensorBytes;
using tvmgo::TensorData;
using tvmgo::TensorOf;

// A model may need any amount of memory; here it is about what surrounds that.
constexpr size_t kMaxPoolBytes = 4096;

struct Kernel {
  static int Call(void*, const TVMFFIAny* args, int32_t num_args, TVMFFIAny*) {
    for (int32_t i = 0; i < num_args; ++i) {
      const DLTensor& tensor = *TVMFFITensorGetDLTensorPtr(args[i].v_obj);
      if (const size_t nbytes = TensorBytes(tensor)) std::memset(TensorData(tensor), i, nbytes);
    }
    return 0;
  }
};

bool RegisterKernels() {
  const tvmgo::Ref kernel = tvmgo::NewFunction(std::make_unique<Kernel>(), Kernel::Call);
  for (std::string_view name : {"kadd", "ksq", "split"}) {
    const TVMFFIByteArray bytes{name.data(), name.size()};
    DEMAND(TVMFFIFunctionSetGlobal(&bytes, kernel.get(), /*allow_override=*/1) == 0);
  }
  return true;
}

size_t PoolBytes(const tvmgo::Graph& graph, DLDevice device) {
  size_t total = 0;
  for (const tvmgo::Pool& pool : tvmgo::PlanStorage(graph, {device}).pools) {
    if (pool.nbytes > kMaxPoolBytes) return pool.nbytes;
    total += pool.nbytes;
  }
  return total;
}

}  // namespace

void RunGraph(std::string_view input) {
  static const bool registered = RegisterKernels();
  DEMAND(registered);
  constexpr DLDevice kHost{kDLCPU, 0};
  const size_t end = std::min(input.find('\0'), input.size());
  tvmgo::Graph graph = tvmgo::ParseGraph(input.substr(0, end));
  if (PoolBytes(graph, kHost) > kMaxPoolBytes) return;

  tvmgo::GraphExecutor executor({std::move(graph), tvmgo::Ref(), {kHost}, tvmgo::Ref()});
  executor.Run();
  for (uint32_t i = 0; i < executor.num_outputs(); ++i) {
    DEMAND(executor.FindOutput(executor.output_name(i)).has_value());
    const DLTensor& output = TensorOf(executor.output(i));
    const tvmgo::Ref copy = tvmgo::CopyToDevice(output, kHost);
    DEMAND(TensorBytes(TensorOf(copy)) == TensorBytes(output));
    executor.CopyOutput(i, TensorOf(copy));
  }
  for (uint32_t i = 0; i < executor.num_inputs(); ++i) {
    DEMAND(executor.FindInput(executor.input_name(i)).has_value());
    executor.SetInput(i, TensorOf(executor.input(i)));
  }
  executor.LoadParams(input.substr(std::min(end + 1, input.size())));
  executor.Run();
}

}  // namespace fuzz
