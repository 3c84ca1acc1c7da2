// SPDX-License-Identifier: Apache-2.0
//
// Which memory pools a graph needs, and which entry lives in which. Pure arithmetic on untrusted
// numbers; nothing is allocated here.
#ifndef TVMGO_CXX_GRAPH_STORAGE_PLAN_H_
#define TVMGO_CXX_GRAPH_STORAGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/graph_json.h"

namespace tvmgo {

struct Pool {
  size_t nbytes;  // what its largest entry needs
  DLDevice device;
  // Whether one input is all it holds, under whatever shapes `__nop` gives it. No operator writes
  // there, so that runs which go on at the same time can have it in common.
  bool is_one_input = false;
};

struct StoragePlan {
  std::vector<Pool> pools;
  std::vector<uint32_t> pool_of_entry;
};

// `devices` is not empty; the first is the fallback for entries whose device type is not listed.
// Throws ValueError when sizes do not fit or a pool is claimed for two device types.
StoragePlan PlanStorage(const Graph& graph, const std::vector<DLDevice>& devices);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_STORAGE_PLAN_H_
