// SPDX-License-Identifier: Apache-2.0
//
// Which memory pools a graph needs, and which entry lives in which. Pure arithmetic on untrusted
// numbers; nothing is allocated here.
#ifndef TVMGO_CXX_GRAPH_STORAGE_PLAN_H_
#define TVMGO_CXX_GRAPH_STORAGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "formats/graph_json.h"

namespace tvmgo {

struct Pool {
  size_t nbytes;  // what its largest entry needs
  DLDevice device;
  // Where it begins in the block, if it is a part of that; the block holds what is needed at
  // different times in the same place.
  std::optional<size_t> place;
  // Whether one input is all it holds, under whatever shapes `__nop` gives it. No operator writes
  // there, so that runs which go on at the same time can have it in common.
  bool is_one_input = false;
};

struct StoragePlan {
  std::vector<Pool> pools;
  std::vector<uint32_t> pool_of_entry;
  size_t block_bytes = 0;
  DLDevice block_device = {kDLCPU, 0};
};

// `devices` is not empty; the first is the fallback for entries whose device type is not listed.
// Throws ValueError when sizes do not fit, a pool is claimed for two device types, or the block
// would be larger than the pools in it. Only the memory of CPUs is put into a block.
StoragePlan PlanStorage(const Graph& graph, const std::vector<DLDevice>& devices);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_STORAGE_PLAN_H_
