// SPDX-License-Identifier: Apache-2.0
//
// Inputs that were lent, but lie where kernels cannot read them: what they hold is copied at the
// start of every run, so that what their owner writes counts, as with those that are read in place.
#ifndef TVMGO_CXX_GRAPH_COPIED_INPUTS_H_
#define TVMGO_CXX_GRAPH_COPIED_INPUTS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "ffi/ffi.h"
#include "tensor/tensor_copy.h"
#include "tensor/tensor_make.h"

namespace tvmgo {

class CopiedInputs {
 public:
  // Makes room for so many more, so that Set cannot fail.
  void Reserve(size_t count) { copied_.reserve(copied_.size() + count); }
  void Set(uint32_t entry, Ref source, Ref target) {
    Forget(entry);
    copied_.push_back(Copied{entry, std::move(source), std::move(target)});
  }
  void Forget(uint32_t entry) {
    const auto is_it = [entry](const Copied& copied) { return copied.entry == entry; };
    copied_.erase(std::remove_if(copied_.begin(), copied_.end(), is_it), copied_.end());
  }

  void Refresh() {
    for (const Copied& copied : copied_) {
      CopyTensor(TensorOf(copied.source), TensorOf(copied.target));
      ++number_;
    }
  }
  // How many copies Refresh has made so far.
  int64_t number() const { return number_; }

 private:
  struct Copied {
    uint32_t entry;
    Ref source;
    Ref target;
  };

  std::vector<Copied> copied_;
  int64_t number_ = 0;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_COPIED_INPUTS_H_
