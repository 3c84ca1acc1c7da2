// SPDX-License-Identifier: Apache-2.0
#include "run_graph.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "demand.h"
#include "ffi/module_object.h"
#include "graph/graph_state.h"
#include "tensor/tensor_copy.h"

namespace fuzz {
namespace {

using tvmgo::TensorBytes;
using tvmgo::TensorData;
using tvmgo::TensorOf;

// A model may need any amount of memory; here it is about what surrounds that.
constexpr size_t kMaxPoolBytes = 4096;

constexpr DLDevice kHost{kDLCPU, 0};

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

std::string BytesOf(const tvmgo::Ref& tensor) {
  return std::string(TensorData(TensorOf(tensor)), TensorBytes(TensorOf(tensor)));
}

void UseState(tvmgo::GraphState* state) {
  const tvmgo::GraphProgram& program = state->program();
  state->Run();
  for (uint32_t i = 0; i < program.num_outputs(); ++i) {
    DEMAND(program.FindOutput(program.output_name(i)).has_value());
    const tvmgo::Ref output = state->output(i);
    const tvmgo::Ref copy = tvmgo::CopyToDevice(TensorOf(output), kHost);
    DEMAND(TensorBytes(TensorOf(copy)) == TensorBytes(TensorOf(output)));
    state->CopyOutput(i, TensorOf(copy));
  }
  for (uint32_t i = 0; i < program.num_inputs(); ++i) {
    DEMAND(program.FindInput(program.input_name(i)).has_value());
    state->SetInput(i, TensorOf(state->input(i)));
  }
}

// The clone has the values of the parameters, and writing to one's leaves the other's as they are.
void CompareParams(tvmgo::GraphState* state, tvmgo::GraphState* clone) {
  const tvmgo::GraphProgram& program = state->program();
  for (uint32_t i = 0; i < program.num_inputs(); ++i) {
    DEMAND(state->IsParam(i) == clone->IsParam(i));
    if (!state->IsParam(i) || program.FindInput(program.input_name(i)) != i) continue;
    const std::string value = BytesOf(state->input(i));
    const tvmgo::Ref given = clone->input(i);
    DEMAND(BytesOf(given) == value);
    if (!value.empty()) std::memset(TensorData(TensorOf(given)), 0x5A, value.size());
    DEMAND(BytesOf(state->input(i)) == value);
    clone->SetInput(i, TensorOf(state->input(i)));
  }
}

}  // namespace

void RunGraph(std::string_view input) {
  static const bool registered = RegisterKernels();
  DEMAND(registered);
  const size_t end = std::min(input.find('\0'), input.size());
  tvmgo::Graph graph = tvmgo::ParseGraph(input.substr(0, end));
  if (PoolBytes(graph, kHost) > kMaxPoolBytes) return;

  const auto program = std::make_shared<const tvmgo::GraphProgram>(
      tvmgo::GraphSetup{std::move(graph), tvmgo::Ref(), {kHost}, tvmgo::Ref()});
  auto first = std::make_unique<tvmgo::GraphState>(program);
  tvmgo::GraphState second(program);
  UseState(first.get());
  first->LoadParams(input.substr(std::min(end + 1, input.size())));
  const std::unique_ptr<tvmgo::GraphState> clone = first->Clone();
  CompareParams(first.get(), clone.get());
  const std::unique_ptr<tvmgo::GraphState> third = first->Clone();
  first->Run();
  first.reset();
  UseState(&second);
  UseState(clone.get());
  UseState(third.get());
}

}  // namespace fuzz
