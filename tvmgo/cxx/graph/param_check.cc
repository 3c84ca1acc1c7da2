// SPDX-License-Identifier: Apache-2.0
#include "graph/param_check.h"

#include <cstring>

#include "ffi/ffi.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

// Codes of TVM 0.14 to 0.19, which have another meaning today.
constexpr uint8_t kOldFloat8_e4m3fn = 6, kOldFloat8_e5m2 = 7;

// One type for all that are equal.
DLDataType Representative(DLDataType dtype) {
  if (dtype.lanes != 1) return dtype;
  const bool is_signed = dtype.code == kDLInt;
  const bool is_integer = is_signed || dtype.code == kDLUInt;
  const bool is_bool =
      (is_integer && dtype.bits == 1) || (dtype.code == kDLBool && dtype.bits == 8);
  if (is_bool) return DLDataType{kDLInt, 8, 1};
  if (is_integer && dtype.bits == 4) return DLDataType{dtype.code, 8, 1};
  return dtype;
}

bool SameType(DLDataType expected, DLDataType got) {
  if (got.bits == 8 && got.lanes == 1) {
    if (got.code == kOldFloat8_e4m3fn && expected.code == kDLFloat8_e4m3fn) return true;
    if (got.code == kOldFloat8_e5m2 && expected.code == kDLFloat8_e5m2) return true;
  }
  expected = Representative(expected);
  got = Representative(got);
  return std::memcmp(&expected, &got, sizeof(DLDataType)) == 0;
}

// A shape without its dimensions of 1, one dimension at a time; 1 at the end.
class OtherThanOne {
 public:
  explicit OtherThanOne(const DLTensor& tensor) : tensor_(tensor) {}

  int64_t Next() {
    while (position_ < tensor_.ndim) {
      const int64_t dim = tensor_.shape[position_++];
      if (dim != 1) return dim;
    }
    return 1;
  }

 private:
  const DLTensor& tensor_;
  int32_t position_ = 0;
};

bool SameShapeButForOnes(const DLTensor& a, const DLTensor& b) {
  OtherThanOne dims_a(a), dims_b(b);
  int64_t dim;
  do {
    dim = dims_a.Next();
    if (dim != dims_b.Next()) return false;
  } while (dim != 1);
  return true;
}

}  // namespace

void RequireParam(const ErrorContext& what, const DLTensor& expected, const DLTensor& got,
                  size_t got_bytes) {
  const size_t expected_bytes = TensorBytes(expected);
  if (expected_bytes != got_bytes) {
    TVM_FFI_THROW(ValueError) << what << ": expected " << expected_bytes << " bytes ("
                              << DescribeTensor(expected) << "), got a parameter of " << got_bytes
                              << " bytes (" << DescribeTensor(got)
                              << "). The size must exactly match";
  }
  if (SameType(expected.dtype, got.dtype) && SameShapeButForOnes(expected, got)) return;
  TVM_FFI_THROW(ValueError) << what << ": expected a parameter of " << DescribeTensor(expected)
                            << ", got " << DescribeTensor(got);
}

}  // namespace tvmgo
