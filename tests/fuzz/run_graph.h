// SPDX-License-Identifier: Apache-2.0
//
// What a graph and its parameters do once the parsers have let them through.
#ifndef TVMGO_TESTS_FUZZ_RUN_GRAPH_H_
#define TVMGO_TESTS_FUZZ_RUN_GRAPH_H_

#include <string_view>

namespace fuzz {

// `input` is graph JSON, NUL, a params blob. Makes a program and states of it, loads, clones and
// runs, with kernels that write to every byte they are given.
void RunGraph(std::string_view input);

}  // namespace fuzz

#endif  // TVMGO_TESTS_FUZZ_RUN_GRAPH_H_
