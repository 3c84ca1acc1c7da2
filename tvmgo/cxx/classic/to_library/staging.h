// SPDX-License-Identifier: Apache-2.0
//
// Aligned stand-ins for host tensors whose address a vector instruction would not accept. After the
// call, what the kernel wrote to a stand-in is written to the original, and nothing else: bytes
// that were only read must not undo what was written to the same memory through another argument.
#ifndef TVMGO_CXX_CLASSIC_TO_LIBRARY_STAGING_H_
#define TVMGO_CXX_CLASSIC_TO_LIBRARY_STAGING_H_

#include <cstddef>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo::classic {

class StandIns {
 public:
  // An aligned copy of a compact CPU tensor, as an object that callbacks may even keep. Tensors
  // with the same memory get the same copy, as a kernel given one array twice must see one array.
  // The original must outlive this object.
  const Ref& CopyOf(const DLTensor& original);

  // Makes changes in the copies appear in the originals.
  void WriteBack() const;

 private:
  struct StandIn {
    char* address;  // of the original
    size_t nbytes;
    std::vector<char> before;
    std::vector<Ref> views;  // one for each shape and type; the first owns the memory
  };

  std::vector<StandIn> stand_ins_;
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_TO_LIBRARY_STAGING_H_
