// SPDX-License-Identifier: Apache-2.0
//
// Element types as graph JSON writes them. tvm-ffi's own parser will not do: it reads "bool" and
// "bfloat" differently, does not know "e4m3_float8", and sizes uint1 and int4 as packed bits where
// every classic kernel uses one byte per element.
#ifndef TVMGO_CXX_TENSOR_DTYPE_STRING_H_
#define TVMGO_CXX_TENSOR_DTYPE_STRING_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace tvmgo {

// Parses `int|uint|float|handle|bfloat|bool|...` + optional bits + optional `x` lanes.
// "bool" is uint1, as in the classic runtime. Throws ValueError with the offending position.
DLDataType ParseDType(std::string_view text);

// The type under which an element is stored and shown to callers and kernels: bool for uint1, a
// whole byte for other integers of 1 or 4 bits; everything else unchanged. Throws ValueError for
// any other width that does not fill whole bytes.
DLDataType StoredDType(DLDataType dtype);

// "float32", "int8x4": for error messages.
std::string DTypeName(DLDataType dtype);

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_DTYPE_STRING_H_
