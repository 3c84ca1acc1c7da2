// SPDX-License-Identifier: Apache-2.0
#include "graph/debug/debug_state.h"

#include "graph/debug/profile_report.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

constexpr int kWarmUps = 3;

}  // namespace

std::optional<uint32_t> DebugState::FindNode(std::string_view name) const {
  for (uint32_t node = 0; node < num_nodes(); ++node) {
    if (program().graph().nodes[node].name == name) return node;
  }
  return std::nullopt;
}

void DebugState::RunUpTo(uint32_t node) {
  BeginRun();
  for (uint32_t i = 0; i <= node; ++i) RunNode(i);
}

double DebugState::RunTimed(uint32_t node) const {
  if (!HasCall(node)) return 0;
  Stopwatch watch(program().DeviceOf(node));
  watch.Start();
  RunNode(node);
  return watch.Read();
}

void DebugState::ExecuteNode(uint32_t node) {
  if (last_executed_ && node < *last_executed_) last_executed_.reset();
  if (!last_executed_) BeginRun();
  for (uint32_t i = last_executed_ ? *last_executed_ + 1 : 0; i <= node; ++i) {
    RunNode(i);
    last_executed_ = i;  // after each: when one fails, the next call continues there
  }
}

std::vector<double> DebugState::TimeNode(uint32_t node, const Timing& timing,
                                         SignalPoller* signals) const {
  if (!HasCall(node)) return std::vector<double>(static_cast<size_t>(timing.repeat), 0.0);
  const auto run = [this, node](int64_t number) {
    for (int64_t i = 0; i < number; ++i) RunNode(node);
  };
  return TimeRepeats(timing, Stopwatch(program().DeviceOf(node)), run, signals);
}

Value DebugState::Profile() {
  SignalPoller signals;
  for (int i = 0; i < kWarmUps; ++i) {
    Run();
    signals.Poll();
  }
  BeginRun();
  ProfileReport report;
  for (uint32_t i = 0; i < num_nodes(); ++i) {
    const Node& node = program().graph().nodes[i];
    if (!node.is_op) continue;
    std::string shapes;
    const auto add_shape = [this, &shapes](uint32_t entry) {
      shapes += (shapes.empty() ? "" : ", ") + DescribeTensor(TensorOf(current(entry)));
    };
    for (uint32_t entry : node.inputs) add_shape(entry);
    for (uint32_t k = 0; k < node.num_outputs; ++k) add_shape(Entry(i, k));
    report.Add(node, program().DeviceOf(i), RunTimed(i), shapes);
    signals.Poll();
  }
  return report.ToMap();
}

}  // namespace tvmgo
