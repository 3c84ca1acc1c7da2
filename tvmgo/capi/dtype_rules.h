// SPDX-License-Identifier: Apache-2.0
// Which element types there are, whatever a parser of names lets pass. C and C++.
#ifndef TVMGO_CAPI_DTYPE_RULES_H_
#define TVMGO_CAPI_DTYPE_RULES_H_
#include <tvm/ffi/c_api.h>

enum {
  TVMGO_MOST_INTEGER_BITS = 128,  // what compilers have integers of
  TVMGO_MOST_LANES = 32767,       // the runtime takes more for the negative of a scalable vector's
};

// Whether there are numbers of this kind with so many bits. The widths of other kinds belong to
// their names.
static inline int TVMGoHasNumbers(DLDataType dtype) {
  switch (dtype.code) {
    case kDLInt:
    case kDLUInt:
      return dtype.bits >= 1 && dtype.bits <= TVMGO_MOST_INTEGER_BITS;
    case kDLFloat:
      return dtype.bits == 16 || dtype.bits == 32 || dtype.bits == 64;
    case kDLBfloat:
      return dtype.bits == 16;
    case kDLBool:
      return dtype.bits == 8;
    case kDLOpaqueHandle:
      return dtype.bits == 64;
    default:
      return dtype.bits >= 1;
  }
}

// Whether one element has a size that is known before the program runs.
static inline int TVMGoHasSize(DLDataType dtype) {
  return dtype.bits != 0 && dtype.lanes != 0 && dtype.lanes <= TVMGO_MOST_LANES;
}

#endif  // TVMGO_CAPI_DTYPE_RULES_H_
