// SPDX-License-Identifier: Apache-2.0
//
// A graph as `run` sees it: a flat list of prepared native calls, one per operator.
#ifndef TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_
#define TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_

#include <cstdint>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

class CallSequence {
 public:
  // Adds a call of `kernel`, whose arguments are `num_args` cells from position `first_cell`.
  void Add(Ref kernel, uint32_t first_cell, uint32_t num_args);
  // Ends the set-up. `cells` must outlive this object and keep its address; what the cells show may
  // change between runs.
  void Bind(const TVMFFIAny* cells);

  // Calls every kernel in turn. Stops at the first failure, throwing that kernel's own error.
  void Run() const;
  // Calls one kernel, by the order of Add.
  void RunOne(uint32_t index) const;
  uint32_t size() const { return static_cast<uint32_t>(calls_.size()); }

 private:
  // Everything one call needs, fetched once. 32 bytes, so two share a cache line.
  struct PreparedCall {
    TVMFFISafeCallType call;
    TVMFFIObjectHandle kernel;  // borrowed from kernels_
    const TVMFFIAny* args;
    uint32_t first_cell;
    int32_t num_args;
  };

  std::vector<PreparedCall> calls_;
  std::vector<Ref> kernels_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_
