// SPDX-License-Identifier: Apache-2.0
//
// Arrays that compiled kernels cannot work on where they are. A kernel moves aligned vectors and
// does not look at the address, and takes the elements to lie one after the other. So it is given a
// copy, and the numbers that it changed are written back. Nothing else is: what was only read must
// not undo what was written to the same memory meanwhile, through another argument or by another
// thread. Numbers are written whole, so that one which both wrote is never a mixture of two.
#ifndef TVMGO_CXX_TENSOR_ALIGNED_COPIES_H_
#define TVMGO_CXX_TENSOR_ALIGNED_COPIES_H_

#include <cstddef>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// The copies for one call.
class AlignedCopies {
 public:
  // A tensor object with the content of a host tensor, aligned and compact. Borrowed: callbacks may
  // share it. The original must outlive this.
  //
  // Tensors in exactly the same memory get copies in one memory, whatever shape and type they give
  // it, because a kernel given one array twice must see one array. Tensors that share only a part
  // get separate copies.
  TVMFFIObjectHandle CopyOf(const DLTensor& original);

  // Writes what was changed in the copies to the originals.
  void WriteBack() const;

 private:
  struct Copy {
    const DLTensor* original;
    size_t nbytes;
    Ref tensor;               // like the original
    Ref before;               // what the copy held before the call
    std::vector<Ref> others;  // views of the tensor with another shape or type
  };

  std::vector<Copy> copies_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_ALIGNED_COPIES_H_
