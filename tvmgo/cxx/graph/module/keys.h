// SPDX-License-Identifier: Apache-2.0
//
// Which input or output an argument means: keys are positions or names.
#ifndef TVMGO_CXX_GRAPH_MODULE_KEYS_H_
#define TVMGO_CXX_GRAPH_MODULE_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ffi/call_args.h"
#include "graph/graph_program.h"

namespace tvmgo {

// None for an unknown name; IndexError for a position there is not.
std::optional<uint32_t> InputKey(const GraphProgram& program, const CallArgs& args, int32_t i);
std::optional<uint32_t> OutputKey(const GraphProgram& program, const CallArgs& args, int32_t i);

// The same; KeyError for an unknown name, which tells those there are.
uint32_t RequireInput(const GraphProgram& program, const CallArgs& args, int32_t i);
uint32_t RequireOutput(const GraphProgram& program, const CallArgs& args, int32_t i);

// The end of such an error's message.
std::string InputsThereAre(const GraphProgram& program, std::string_view asked);
std::string OutputsThereAre(const GraphProgram& program, std::string_view asked);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_MODULE_KEYS_H_
