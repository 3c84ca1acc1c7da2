// SPDX-License-Identifier: Apache-2.0
//
// How the graph executor gets into the runtime's function table.
#ifndef TVMGO_CXX_REGISTER_H_
#define TVMGO_CXX_REGISTER_H_

#ifdef __cplusplus
extern "C" {
#endif

// Registers among the runtime's global functions, replacing others of the same names:
//
//   tvm.graph_executor.create            (graph JSON, library, [lookup function,]
//   tvm.graph_executor_debug.create       device type, device id, ...) -> Module
//   tvm.graph_executor_cuda_graph.create
//   tvm.graph_executor_factory.create    (graph JSON, library, model name,
//                                         [parameter name, tensor,] ...) -> Module
//
// and the names these had up to TVM 0.7, when the executor was called graph_runtime; and
//
//   tvmgo.graph_program.create           (as tvm.graph_executor.create) -> Module
//   tvmgo.parse_params                   (bytes of a .params file) -> Map of name to tensor
//
// 0, or -1 with the error raised.
__attribute__((visibility("default"))) int TVMGoRegisterGraphExecutor(void);

#ifdef __cplusplus
}
#endif

#endif  // TVMGO_CXX_REGISTER_H_
