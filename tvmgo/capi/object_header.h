// SPDX-License-Identifier: Apache-2.0
// How an object of the runtime begins that lies in a block of our own. C and C++.
#ifndef TVMGO_CAPI_OBJECT_HEADER_H_
#define TVMGO_CAPI_OBJECT_HEADER_H_
#include <stdint.h>
#include <tvm/ffi/c_api.h>

// Give an object its header and one reference, the caller's. `deleter` follows the runtime's rules:
// kTVMFFIObjectDeleterFlagBitMaskStrong asks to let go of what the object holds, ...Weak to free
// the block; both come at once unless somebody keeps a weak reference.
static inline void TVMGoInitObject(TVMFFIObject* object, int32_t type_index,
                                   void (*deleter)(void* self, int flags)) {
  object->combined_ref_count = ((uint64_t)1 << 32) | 1;
  object->type_index = type_index;
  object->__padding = 0;
  object->deleter = deleter;
}

#endif  // TVMGO_CAPI_OBJECT_HEADER_H_
