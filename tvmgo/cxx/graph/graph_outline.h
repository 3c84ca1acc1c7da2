// SPDX-License-Identifier: Apache-2.0
//
// A graph for whoever shows it to people.
#ifndef TVMGO_CXX_GRAPH_GRAPH_OUTLINE_H_
#define TVMGO_CXX_GRAPH_GRAPH_OUTLINE_H_

#include "ffi/ffi.h"
#include "formats/graph_json.h"

namespace tvmgo {

// For each node, in order: [name, function or "" for a placeholder, [[node, output] of each input],
// [[shape, element type] of each output]].
Value DescribeNodes(const Graph& graph);
// [node, output] of each output of the graph.
Value DescribeHeads(const Graph& graph);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_GRAPH_OUTLINE_H_
