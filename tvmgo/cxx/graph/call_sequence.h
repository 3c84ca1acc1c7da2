// SPDX-License-Identifier: Apache-2.0
//
// A graph as `run` sees it: a flat list of prepared native calls, one per operator.
#ifndef TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_
#define TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_

#include <cstdint>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// What a program knows about one call: everything but where the arguments are.
struct KernelCall {
  Ref kernel;
  uint32_t first_cell;  // the arguments are `num_args` cells from here
  int32_t num_args;
};

class CallSequence {
 public:
  // Both must outlive this object, and the cells keep their address; what the cells show may change
  // between runs.
  CallSequence(const std::vector<KernelCall>& calls, const TVMFFIAny* cells);

  // Calls every kernel in turn. Stops at the first failure, throwing that kernel's own error.
  void Run() const;
  // Calls one kernel, by its place in the list.
  void RunOne(uint32_t index) const;

 private:
  // Everything one call needs, fetched once. 32 bytes, so two share a cache line.
  struct PreparedCall {
    TVMFFISafeCallType call;
    TVMFFIObjectHandle kernel;  // borrowed
    const TVMFFIAny* args;
    int32_t num_args;
  };

  std::vector<PreparedCall> calls_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_CALL_SEQUENCE_H_
