// SPDX-License-Identifier: Apache-2.0
//
// A module that stands before modules which need constants: it hands them over on the first use.
#ifndef TVMGO_CXX_CLASSIC_LOADING_CONST_LOADER_H_
#define TVMGO_CXX_CLASSIC_LOADING_CONST_LOADER_H_

#include "ffi/ffi.h"
#include "formats/payloads.h"

namespace tvmgo::classic {

// A module of kind "const_loader"; what it stands before are its imports.
//
// libtvm_runtime has a loader for the same payload, which reads past its buffers on bool constants.
Ref NewConstLoader(const ConstantsPayload& payload);

// A module of that kind without functions of its own: only its imports have any.
Ref NewEmptyModule(const char* kind);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_CONST_LOADER_H_
