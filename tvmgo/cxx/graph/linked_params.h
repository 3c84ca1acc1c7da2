// SPDX-License-Identifier: Apache-2.0
//
// Parameters that need no memory of ours. TVM 0.8 could link them into the library of kernels,
// which then exports `_lookup_linked_param`: (storage id) -> address or null. A caller of `create`
// may bring a function of its own instead: (library, storage id, tensor that shows shape and
// element type, device) -> tensor or None.
#ifndef TVMGO_CXX_GRAPH_LINKED_PARAMS_H_
#define TVMGO_CXX_GRAPH_LINKED_PARAMS_H_

#include <vector>

#include "formats/graph_json.h"
#include "graph/storage_plan.h"

namespace tvmgo {

// For each pool of the plan the memory that is there already, or null. It is constant: nobody may
// write to it. `library` and `lookup` may be none; `device` is the graph's first.
std::vector<Ref> FindLinkedParams(const Graph& graph, const StoragePlan& plan, const Ref& library,
                                  const Ref& lookup, DLDevice device);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_LINKED_PARAMS_H_
