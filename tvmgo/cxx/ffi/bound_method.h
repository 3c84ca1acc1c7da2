// SPDX-License-Identifier: Apache-2.0
//
// The functions of modules that keep them in tables. A function is a row of the table bound to its
// module: it has the arguments counted, and calls.
#ifndef TVMGO_CXX_FFI_BOUND_METHOD_H_
#define TVMGO_CXX_FFI_BOUND_METHOD_H_

#include <memory>
#include <string_view>

#include "ffi/call_args.h"
#include "ffi/module_object.h"

namespace tvmgo {

constexpr int32_t kAnyNumber = INT32_MAX;  // of arguments

// The row of that name in a table, or null. A row has `name`, `min_args` and `max_args`.
template <typename Method, size_t size>
const Method* FindIn(const Method (&table)[size], std::string_view name) {
  for (const Method& method : table) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

template <typename Impl, typename Method>
struct BoundMethod {
  Ref module;  // keeps `impl` alive for as long as the function lives
  Impl* impl;
  const Method* method;

  static int Call(void* self, const TVMFFIAny* packed, int32_t num_args, TVMFFIAny* result) {
    return CatchErrors([=] {
      const auto* bound = static_cast<const BoundMethod*>(self);
      const Method& method = *bound->method;
      const CallArgs args(method.name, packed, num_args);
      args.RequireSize(method.min_args, method.max_args);
      bound->impl->Invoke(method, args, bound->module.get()).MoveTo(result);
    });
  }
};

// A function that calls impl->Invoke(*method, args, module); none if `method` is null. The table
// must outlive it; `module`, which owns `impl`, is kept alive.
template <typename Impl, typename Method>
Ref BindMethod(Impl* impl, const Method* method, TVMFFIObjectHandle module) {
  if (method == nullptr) return Ref();
  using Bound = BoundMethod<Impl, Method>;
  return NewFunction(std::make_unique<Bound>(Bound{Ref::Share(module), impl, method}), Bound::Call);
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_BOUND_METHOD_H_
