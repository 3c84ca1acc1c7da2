// SPDX-License-Identifier: Apache-2.0
//
// The folder from_library: calls from a classic library into the runtime, through variables or
// through C names. Here: the functions which a classic library calls: C on the outside, and no
// exception leaves them.
#ifndef TVMGO_CXX_CLASSIC_FROM_LIBRARY_SERVICES_H_
#define TVMGO_CXX_CLASSIC_FROM_LIBRARY_SERVICES_H_

#include "classic/abi.h"

namespace tvmgo::classic {

const ServiceTable& Services();

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_FROM_LIBRARY_SERVICES_H_
