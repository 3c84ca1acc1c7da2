// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <variant>

#include "classic/loading/const_loader.h"
#include "demand.h"
#include "ffi/module_object.h"
#include "formats/elf_symbols.h"
#include "formats/generation.h"
#include "formats/graph_json.h"
#include "formats/module_blob.h"
#include "formats/params_blob.h"
#include "graph/storage_plan.h"
#include "run_graph.h"
#include "tensor/tensor_size.h"

// The sanitizers' settings. No parser needs blocks of this size for inputs as small as ours.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=64:allocator_may_return_null=0:handle_abort=1:"
         "strict_string_checks=1:detect_stack_use_after_return=1";
}
extern "C" const char* __ubsan_default_options() { return "print_stacktrace=1"; }

// Stands in for libtvm_ffi's: reading debug information for each error takes far longer than
// parsing.
extern "C" const TVMFFIByteArray* TVMFFIBacktrace(const char*, int, const char*, int) {
  static const TVMFFIByteArray nothing{"", 0};
  return &nothing;
}

namespace fuzz {
namespace {

// What may be needed however short the input is: an error with its backtrace, a file's buffer.
constexpr size_t kFixedBytes = 64 << 10;
// The worst is `[[],[],...`, where two or three bytes become an object of the runtime.
constexpr size_t kBytesPerByte = 160;

// Memory taken by this thread while it is measured, libtvm_ffi's included. Plain numbers, because
// the hooks run inside malloc.
thread_local bool measuring = false;
thread_local int64_t held = 0, peak = 0;

void OnMalloc(const volatile void* block, size_t size) {
  if (!measuring || block == nullptr) return;
  held += static_cast<int64_t>(size);
  if (held > peak) peak = held;
}

void OnFree(const volatile void* block) {
  if (!measuring || block == nullptr) return;
  held -= static_cast<int64_t>(__sanitizer_get_allocated_size(block));
}

bool Lies(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.size() <= whole.size() &&
         part.data() - whole.data() <= static_cast<ptrdiff_t>(whole.size() - part.size());
}

// ---------------------------------------------------------------- the parsers

void ParseGraphJSON(std::string_view input) {
  const tvmgo::Graph graph = tvmgo::ParseGraph(input);
  const size_t num_entries = graph.entries.size();
  for (const tvmgo::Node& node : graph.nodes) {
    DEMAND(size_t{node.first_output} + node.num_outputs <= num_entries);
    for (uint32_t entry : node.inputs) DEMAND(entry < node.first_output);
  }
  for (uint32_t node : graph.inputs) {
    DEMAND(node < graph.nodes.size() && !graph.nodes[node].is_op);
    DEMAND(graph.nodes[node].num_outputs == 1);
  }
  DEMAND(graph.outputs.size() == graph.output_nodes.size());
  for (uint32_t entry : graph.outputs) DEMAND(entry < num_entries);
  for (uint32_t node : graph.output_nodes) DEMAND(node < graph.nodes.size());

  const tvmgo::StoragePlan plan = tvmgo::PlanStorage(graph, {DLDevice{kDLCPU, 0}});
  DEMAND(plan.pool_of_entry.size() == num_entries && plan.pools.size() <= num_entries);
  for (size_t i = 0; i < num_entries; ++i) {
    const tvmgo::Entry& entry = graph.entries[i];
    size_t nbytes = 0;
    DEMAND(tvmgo::CompactTensorBytes(entry.shape.data(), static_cast<int32_t>(entry.shape.size()),
                                     entry.dtype, &nbytes));
    DEMAND(plan.pool_of_entry[i] < plan.pools.size());
    DEMAND(nbytes <= plan.pools[plan.pool_of_entry[i]].nbytes);
  }
}

void UseTensors(const std::vector<tvmgo::NamedTensor>& tensors, std::string_view input) {
  for (const auto& [name, record] : tensors) {
    DEMAND(Lies(name, input) && Lies(record.data, input));
    size_t nbytes = 0;
    DEMAND(tvmgo::CompactTensorBytes(record.shape.data(), static_cast<int32_t>(record.shape.size()),
                                     record.dtype, &nbytes));
    DEMAND(nbytes == record.data.size());
    const tvmgo::Ref tensor = tvmgo::NewTensor(record);
    const DLTensor& made = tvmgo::TensorOf(tensor);
    DEMAND(made.ndim == static_cast<int32_t>(record.shape.size()));
    DEMAND(nbytes == 0 || std::memcmp(made.data, record.data.data(), nbytes) == 0);
  }
}

void ParseParamsBlob(std::string_view input) {
  const std::vector<std::string_view> names = tvmgo::ParseParamNames(input);
  for (std::string_view name : names) DEMAND(Lies(name, input));
  const auto params = tvmgo::ParseParams(input, tvmgo::TensorUse::kBytes);
  DEMAND(params.size() == names.size());
  for (size_t i = 0; i < params.size(); ++i) {
    DEMAND(params[i].name == names[i] && Lies(params[i].tensor.data, input));
  }
  UseTensors(tvmgo::ParseParams(input, tvmgo::TensorUse::kTodaysTensor), input);
}

bool HasTensor(const std::vector<tvmgo::NamedTensor>& tensors, std::string_view name) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [name](const tvmgo::NamedTensor& tensor) { return tensor.name == name; });
}

// As a program would: all constants, and the functions that wait for theirs, whose library is not
// there.
void UseConstants(const tvmgo::ConstantsPayload& payload) {
  const tvmgo::Ref loader = tvmgo::classic::NewConstLoader(payload);
  const tvmgo::Value all =
      tvmgo::Call(tvmgo::FunctionOf(loader, "get_const_var_ndarray", /*query_imports=*/false));
  const int64_t size = tvmgo::Call(tvmgo::GetGlobal("ffi.MapSize"), all.view()).view().v_int64;
  DEMAND(size <= static_cast<int64_t>(payload.constants.size()));
  DEMAND(payload.constants.empty() == (size == 0));
  for (const auto& [symbol, names] : payload.symbols) {
    try {
      tvmgo::FunctionOf(loader, symbol, /*query_imports=*/false);
    } catch (const tvm::ffi::Error&) {  // that it cannot have its constants
    }
  }
}

void ParseModules(std::string_view input) {
  using namespace tvmgo;
  // Most kinds have a loader here, so that what follows an unknown name is read, too.
  const ModuleBlob blob =
      ParseModuleBlob(input, [](std::string_view key) { return key.size() < 24; });
  for (const EmbeddedModule& module : blob.modules) {
    DEMAND(Lies(module.key, input));
    for (uint32_t import : module.imports) DEMAND(import < blob.modules.size());
    if (const auto* factory = std::get_if<GraphFactoryPayload>(&module.payload)) {
      DEMAND(Lies(factory->graph_json, input) && Lies(factory->model_name, input));
      UseTensors(factory->params, input);
    } else if (const auto* constants = std::get_if<ConstantsPayload>(&module.payload)) {
      UseTensors(constants->constants, input);
      for (const auto& [symbol, names] : constants->symbols) {
        DEMAND(Lies(symbol, input));
        for (std::string_view name : names) DEMAND(HasTensor(constants->constants, name));
      }
      UseConstants(*constants);
    } else if (const auto* runtime = std::get_if<JSONRuntimePayload>(&module.payload)) {
      DEMAND(Lies(runtime->bytes, input));
    }
  }
}

void CheckTodaysModules(std::string_view input) { tvmgo::CheckTodaysModuleBlob(input); }

// The parser reads a file, which lives in memory here.
void ParseElf(std::string_view input) {
  static const int file = memfd_create("input", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  DEMAND(ftruncate(file, 0) == 0);
  DEMAND(pwrite(file, input.data(), input.size(), 0) == static_cast<ssize_t>(input.size()));
  tvmgo::KindOfFile(path);
  const tvmgo::ElfSymbols elf(path);
  for (const tvmgo::ElfSymbol& symbol : elf.symbols()) {
    DEMAND(std::strlen(symbol.name) < input.size());
  }
  elf.Find("__tvm_main__");
  tvmgo::GenerationName(tvmgo::GenerationOf(elf));
  tvmgo::ExportsFunctions(elf);
}

constexpr Target kTargets[] = {
    {"graph_json", ParseGraphJSON},
    {"params_blob", ParseParamsBlob},
    {"executor", RunGraph},
    {"module_blob", ParseModules},
    {"todays_module_blob", CheckTodaysModules},
    {"elf", ParseElf},
};

bool Accepts(const Target& target, std::string_view input) {
  try {
    target.parse(input);
    return true;
  } catch (const tvm::ffi::Error&) {
  } catch (const std::bad_alloc&) {
  }
  return false;
}

}  // namespace

const Target* FindTarget(std::string_view name) {
  for (const Target& target : kTargets) {
    if (name == target.name) return &target;
  }
  return nullptr;
}

Outcome Run(const Target& target, std::string_view input) {
  static const int hooked = __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);
  DEMAND(hooked != 0);
  Outcome outcome{};
  // What is kept once may be a cache; what is kept every time is lost.
  int64_t kept = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    held = peak = 0;
    measuring = true;
    outcome.accepted = Accepts(target, input);
    measuring = false;
    kept = held;
    outcome.peak_bytes = static_cast<size_t>(peak);
    if (kept <= 0) break;
  }
  DEMAND(kept <= 0);
  if (outcome.peak_bytes > kFixedBytes + kBytesPerByte * input.size()) {
    std::fprintf(stderr, "%zu bytes of input needed %zu bytes of memory\n", input.size(),
                 outcome.peak_bytes);
    std::abort();
  }
  return outcome;
}

}  // namespace fuzz
