// SPDX-License-Identifier: Apache-2.0
//
// Where operators find their kernels: the library of the trio first, then the registry of global
// functions, and at last the registry again after the runtime's extra functions (sort, topk,
// random) have been loaded, which happens at most once and only when something is missing.
#ifndef TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_
#define TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_

#include <string>

#include "ffi/ffi.h"

namespace tvmgo {

class KernelLookup {
 public:
  // `library` is a module, or none when the registry holds every kernel.
  explicit KernelLookup(Ref library) : library_(std::move(library)) {}

  // Throws KeyError when there is no such function.
  Ref Get(const std::string& name);

 private:
  Ref Find(const std::string& name) const;
  void LoadExtra();

  Ref library_;
  bool extra_loaded_ = false;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_
