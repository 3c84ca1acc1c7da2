// SPDX-License-Identifier: Apache-2.0
#include "graph/module/keys.h"

#include <vector>

#include "ffi/near_names.h"

namespace tvmgo {

std::optional<uint32_t> InputKey(const GraphProgram& program, const CallArgs& args, int32_t i) {
  if (args.IsName(i)) return program.FindInput(args.Text(i, "key"));
  return args.Index(i, "key", program.num_inputs());
}

std::optional<uint32_t> OutputKey(const GraphProgram& program, const CallArgs& args, int32_t i) {
  if (args.IsName(i)) return program.FindOutput(args.Text(i, "key"));
  return args.Index(i, "key", program.num_outputs());
}

uint32_t RequireInput(const GraphProgram& program, const CallArgs& args, int32_t i) {
  if (const auto index = InputKey(program, args, i)) return *index;
  const std::string_view name = args.Text(i, "key");
  TVM_FFI_THROW(KeyError) << "Could not find '" << name << "' in graph's inputs"
                          << InputsThereAre(program, name);
  TVM_FFI_UNREACHABLE();
}

uint32_t RequireOutput(const GraphProgram& program, const CallArgs& args, int32_t i) {
  if (const auto index = OutputKey(program, args, i)) return *index;
  const std::string_view name = args.Text(i, "key");
  TVM_FFI_THROW(KeyError) << "Could not find '" << name << "' in graph's outputs"
                          << OutputsThereAre(program, name);
  TVM_FFI_UNREACHABLE();
}

std::string InputsThereAre(const GraphProgram& program, std::string_view asked) {
  std::vector<std::string_view> names;
  for (uint32_t i = 0; i < program.num_inputs(); ++i) names.push_back(program.input_name(i));
  return NamesThereAre(asked, names);
}

std::string OutputsThereAre(const GraphProgram& program, std::string_view asked) {
  std::vector<std::string_view> names;
  for (uint32_t i = 0; i < program.num_outputs(); ++i) names.push_back(program.output_name(i));
  return NamesThereAre(asked, names);
}

}  // namespace tvmgo
