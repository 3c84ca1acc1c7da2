// SPDX-License-Identifier: Apache-2.0
#ifndef TVMGO_CXX_GRAPH_BUSY_GUARD_H_
#define TVMGO_CXX_GRAPH_BUSY_GUARD_H_

#include <atomic>

#include "graph/graph_state.h"

namespace tvmgo {

// The right to use a state for one call. Overlap can come from a second thread or from a kernel
// that calls back into its own executor; neither could be served by waiting.
class BusyGuard {
 public:
  // Throws RuntimeError, which names `method`, while another call has the right.
  BusyGuard(GraphState* state, const char* method) : busy_(state->busy_) {
    if (busy_.exchange(true, std::memory_order_acquire)) {
      TVM_FFI_THROW(RuntimeError) << method << ": the graph executor is busy with another call; it "
                                  << "serves one thread at a time and no callbacks";
    }
  }
  ~BusyGuard() { busy_.store(false, std::memory_order_release); }
  BusyGuard(const BusyGuard&) = delete;
  BusyGuard& operator=(const BusyGuard&) = delete;

 private:
  std::atomic<bool>& busy_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_BUSY_GUARD_H_
