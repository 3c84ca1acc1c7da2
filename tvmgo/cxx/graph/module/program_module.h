// SPDX-License-Identifier: Apache-2.0
//
// A graph program as a module of the runtime, for who makes states of it by himself.
#ifndef TVMGO_CXX_GRAPH_MODULE_PROGRAM_MODULE_H_
#define TVMGO_CXX_GRAPH_MODULE_PROGRAM_MODULE_H_

#include <memory>

#include "graph/graph_program.h"

namespace tvmgo {

// A module of kind "GraphProgram". Any thread may call its functions at any time:
//
//   create_state()      -> executor, a module of kind "GraphExecutor", with the parameters loaded
//                          so far; states have them in common
//   load_params(blob)   loads parameters for states made afterwards; those that are there stay as
//                       they are. Of a tensor that holds the blob, kernels read what is aligned for
//                       them where it lies, if that is most of it: nobody may write there any more
Value NewProgramModule(std::shared_ptr<const GraphProgram> program);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_PROGRAM_MODULE_H_
