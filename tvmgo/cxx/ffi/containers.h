// SPDX-License-Identifier: Apache-2.0
//
// Containers of the runtime, made through its constructors among the global functions.
#ifndef TVMGO_CXX_FFI_CONTAINERS_H_
#define TVMGO_CXX_FFI_CONTAINERS_H_

#include <cstdint>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

Value NewArray(const std::vector<Value>& items);
// Of key, value, key, value, ...
Value NewMap(const std::vector<Value>& members);
Value NewShape(const std::vector<int64_t>& shape);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_CONTAINERS_H_
