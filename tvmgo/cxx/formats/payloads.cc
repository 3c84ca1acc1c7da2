// SPDX-License-Identifier: Apache-2.0
#include "formats/payloads.h"

#include <unordered_set>

namespace tvmgo {
namespace {

void WriteNumber(uint64_t number, std::string* out) {
  out->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

void WriteText(std::string_view text, std::string* out) {
  WriteNumber(text.size(), out);
  out->append(text);
}

constexpr std::string_view kSharedMemoryTag = "tir.use_dyn_shared_memory";
constexpr std::string_view kSharedMemoryTagToday = "tirx.use_dyn_shared_memory";

// Throws unless all constants that a symbol is initialised with are there.
void RequireConstants(const ConstantsPayload& payload) {
  std::unordered_set<std::string_view> known;
  for (const NamedTensor& constant : payload.constants) known.insert(constant.name);
  for (const auto& [symbol, names] : payload.symbols) {
    for (std::string_view name : names) {
      if (known.count(name) != 0) continue;
      TVM_FFI_THROW(ValueError) << "embedded modules: symbol \"" << Shown(symbol)
                                << "\" wants the constant \"" << Shown(name)
                                << "\", which is not there";
    }
  }
}

// name, argument types, launch tags.
void ReadFunctionInfo(BlobReader* reader, std::string* out) {
  constexpr size_t kDTypeBytes = 4;
  WriteText(reader->Text("a function's name"), out);
  const uint64_t num_args = reader->Count("the number of arguments", kDTypeBytes);
  WriteNumber(num_args, out);
  out->append(reader->Bytes(num_args * kDTypeBytes, "the argument types"));
  const std::vector<std::string_view> tags = reader->Texts("the launch tags");
  WriteNumber(tags.size(), out);
  for (std::string_view tag : tags) {
    WriteText(tag == kSharedMemoryTag ? kSharedMemoryTagToday : tag, out);
  }
  WriteNumber(0, out);  // the tags of arguments, which did not exist
}

}  // namespace

GraphFactoryPayload ReadGraphFactory(BlobReader* reader) {
  GraphFactoryPayload payload;
  payload.graph_json = reader->Text("the graph");
  const auto count = reader->Number<uint64_t>("the number of parameters");
  const std::vector<std::string_view> names = reader->Texts("the names of parameters");
  reader->Expect(count == names.size(), "as many names as parameters");
  payload.params = ReadTensorRecords(reader, names, TensorUse::kTensor);
  payload.model_name = reader->Text("the model's name");
  return payload;
}

ConstantsPayload ReadConstants(BlobReader* reader) {
  ConstantsPayload payload;
  const std::vector<std::string_view> names = reader->Texts("the names of constants");
  reader->Expect(reader->Number<uint64_t>("the number of constants") == names.size(),
                 "as many tensors as names");
  payload.constants = ReadTensorRecords(reader, names, TensorUse::kTensor);
  const std::vector<std::string_view> symbols = reader->Texts("the symbols");
  reader->Expect(reader->Number<uint64_t>("the number of symbols") == symbols.size(),
                 "as many lists of constants as symbols");
  for (std::string_view symbol : symbols) {
    payload.symbols.emplace_back(symbol, reader->Texts("the constants of a symbol"));
  }
  RequireConstants(payload);
  return payload;
}

std::string ReadDeviceCode(BlobReader* reader) {
  std::string today;
  WriteText(reader->Text("the format of the code"), &today);
  const uint64_t num_functions = reader->Count("the number of functions", 4 * sizeof(uint64_t));
  WriteNumber(num_functions, &today);
  for (uint64_t i = 0; i < num_functions; ++i) {
    WriteText(reader->Text("a function's symbol"), &today);
    ReadFunctionInfo(reader, &today);
  }
  WriteText(reader->Text("the code"), &today);
  return today;
}

std::string_view ReadJSONRuntime(BlobReader* reader) {
  const size_t begin = reader->position();
  reader->Text("the symbol");
  reader->Text("the graph of the external library");
  reader->Texts("the names of constants");
  return reader->Since(begin);
}

}  // namespace tvmgo
