// SPDX-License-Identifier: Apache-2.0
//
// The debug variant: runs single nodes, shows what lies between them, and times them. Timing
// repeats operators, so results that share memory with their arguments are not to be used
// afterwards.
#ifndef TVMGO_CXX_GRAPH_DEBUG_DEBUG_STATE_H_
#define TVMGO_CXX_GRAPH_DEBUG_DEBUG_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ffi/repeat_timer.h"
#include "graph/graph_state.h"

namespace tvmgo {

class DebugState final : public GraphState {
 public:
  // `text_unit`, in seconds, is what `run_individual` counts in when it answers by text.
  DebugState(std::shared_ptr<const GraphProgram> program, double text_unit,
             const ParamSet& params = {})
      : GraphState(std::move(program), params), text_unit_(text_unit) {}

  std::unique_ptr<GraphState> Clone() final {
    return std::make_unique<DebugState>(shared_program(), text_unit_, ShareParams());
  }

  double text_unit() const { return text_unit_; }
  uint32_t num_nodes() const { return static_cast<uint32_t>(program().graph().nodes.size()); }
  // The first node of that name; names are not unique.
  std::optional<uint32_t> FindNode(std::string_view name) const;
  // The entry that is an output of a node.
  uint32_t Entry(uint32_t node, uint32_t output) const {
    return program().graph().nodes[node].first_output + output;
  }

  // Runs all nodes up to this one, inclusive.
  void RunUpTo(uint32_t node);

  // Runs one node, once, and returns the seconds it took.
  double RunTimed(uint32_t node) const;

  // Continues from the node executed last to this one, inclusive; starts again when this one lies
  // before. Does nothing when it is the same.
  void ExecuteNode(uint32_t node);
  std::optional<uint32_t> last_executed() const { return last_executed_; }
  // Makes the next ExecuteNode start with the first node, whatever was executed before.
  void Restart() { last_executed_.reset(); }

  // Seconds per call, one mean per repeat; zeros for placeholders and `__nop`s.
  std::vector<double> TimeNode(uint32_t node, const Timing& timing, SignalPoller* signals) const;

  // One run, timed operator by operator, after three to warm up. A map of "calls",
  // "device_metrics" and "configuration", as TVM's reports are written in JSON.
  Value Profile();

 private:
  double text_unit_;
  std::optional<uint32_t> last_executed_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_DEBUG_DEBUG_STATE_H_
