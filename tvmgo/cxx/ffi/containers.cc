// SPDX-License-Identifier: Apache-2.0
#include "ffi/containers.h"

#include <string_view>

namespace tvmgo {
namespace {

Value Construct(std::string_view constructor, const std::vector<Value>& items) {
  std::vector<TVMFFIAny> views;
  for (const Value& item : items) views.push_back(item.view());
  return CallPacked(GetGlobal(constructor), views.data(), views.size());
}

}  // namespace

Value NewArray(const std::vector<Value>& items) { return Construct("ffi.Array", items); }

Value NewMap(const std::vector<Value>& members) { return Construct("ffi.Map", members); }

Value NewShape(const std::vector<int64_t>& shape) {
  std::vector<Value> dims;
  for (int64_t dim : shape) dims.emplace_back(dim);
  return Construct("ffi.Shape", dims);
}

}  // namespace tvmgo
