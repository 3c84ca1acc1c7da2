// SPDX-License-Identifier: Apache-2.0
//
// The functions of libtvm_runtime that classic libraries use: scratch memory; and those for
// parallel kernels, whose addresses tell which imports of a library to redirect, but which are not
// called. Their signatures have never changed.
#ifndef TVMGO_CXX_CLASSIC_FROM_LIBRARY_RUNTIME_SERVICES_H_
#define TVMGO_CXX_CLASSIC_FROM_LIBRARY_RUNTIME_SERVICES_H_

#include "classic/abi.h"

namespace tvmgo::classic {

struct RuntimeServices {
  decltype(ServiceTable::alloc_workspace) alloc_workspace = nullptr;
  decltype(ServiceTable::free_workspace) free_workspace = nullptr;
  decltype(ServiceTable::parallel_launch) parallel_launch = nullptr;
  decltype(ServiceTable::parallel_barrier) parallel_barrier = nullptr;
};

// What the runtime offers, null members where it is not loaded. Asked again until it is complete;
// complete, it stays as it is.
const RuntimeServices& FindRuntimeServices();

// The answer of the last look.
const RuntimeServices& KnownRuntimeServices();

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_FROM_LIBRARY_RUNTIME_SERVICES_H_
