// SPDX-License-Identifier: Apache-2.0
//
// A whole model in one module: the graph, its parameters, and the library of its kernels as the
// first import. Libraries that TVM 0.7 and later exported as one file carry it as their root.
#ifndef TVMGO_CXX_GRAPH_MODULE_EXECUTOR_FACTORY_H_
#define TVMGO_CXX_GRAPH_MODULE_EXECUTOR_FACTORY_H_

#include <string>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

struct FactoryParam {
  std::string name;
  Ref tensor;
};

// A module of kind "GraphExecutorFactory"; the library is imported by the caller, and without one
// the global functions are all the kernels there are. Functions:
//
//   <model name>(Device...)              -> executor with the parameters set
//   debug_create(model name, Device...)  -> the same, of the debug variant
//   cuda_graph_create(Device...)         -> the same, of the CUDA graph variant
//   get_graph_json()                     -> str
//   get_graph_params()                   -> map of name to tensor
//   remove_params()                      -> a factory without parameters
Ref NewExecutorFactory(std::string graph_json, std::vector<FactoryParam> params,
                       std::string model_name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_EXECUTOR_FACTORY_H_
