// SPDX-License-Identifier: Apache-2.0
#include "graph/model_id.h"

#include <algorithm>
#include <cstring>
#include <iomanip>
#include <sstream>
#include <vector>

#include "ffi/module_object.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

std::string Hex(int64_t id) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setw(16) << std::setfill('0') << id;
  return text.str();
}

void Compare(const Graph& graph, int64_t id, const char* file_is) {
  if (*graph.model_id == id) return;
  TVM_FFI_THROW(ValueError) << file_is << " of another export than the graph: expected the model "
                            << "id " << Hex(*graph.model_id) << ", got " << Hex(id);
}

// `bytes` are those of the tensor, which holds the number of each graph that the parameters are
// for.
void CompareParam(const Graph& graph, DLDataType dtype, std::string_view bytes) {
  if (dtype.code != kDLInt || dtype.bits != 64 || bytes.empty()) {
    TVM_FFI_THROW(ValueError) << "parameter \"" << kModelIdName << "\": expected int64";
  }
  std::vector<int64_t> ids(bytes.size() / sizeof(int64_t));
  std::memcpy(ids.data(), bytes.data(), ids.size() * sizeof(int64_t));
  if (std::find(ids.begin(), ids.end(), *graph.model_id) == ids.end()) {
    Compare(graph, ids[0], "the parameters are");
  }
}

}  // namespace

Ref OfSameModel(const Graph& graph, Ref library) {
  if (!graph.model_id || !library) return library;
  const Ref function = FunctionOf(library, kModelIdName, /*query_imports=*/false);
  if (!function) return library;
  const Value id = Call(function);
  if (id.view().type_index == kTVMFFIInt) Compare(graph, id.view().v_int64, "the library is");
  return library;
}

void RequireSameModel(const Graph& graph, const std::vector<NamedTensor>& params) {
  if (!graph.model_id) return;
  for (const auto& [name, param] : params) {
    if (name == kModelIdName) CompareParam(graph, param.dtype, param.data);
  }
}

void RequireSameModel(const Graph& graph, std::string_view name, const DLTensor& param) {
  if (!graph.model_id || name != kModelIdName) return;
  const Ref host = CopyToDevice(param, DLDevice{kDLCPU, 0});
  const DLTensor& id = TensorOf(host);
  CompareParam(graph, id.dtype, {TensorData(id), TensorBytes(id)});
}

}  // namespace tvmgo
