// SPDX-License-Identifier: Apache-2.0
#include "classic/to_library/staging.h"

#include <cstring>
#include <utility>

#include "tensor/tensor_copy.h"
#include "tensor/tensor_make.h"

namespace tvmgo::classic {
namespace {

// Copies the bytes of `now` that differ from `before`, skipping over equal stretches quickly.
void CopyChanges(const char* now, const char* before, size_t nbytes, char* to) {
  constexpr size_t kStretch = 256;
  for (size_t at = 0; at < nbytes; at += kStretch) {
    const size_t size = nbytes - at < kStretch ? nbytes - at : kStretch;
    if (std::memcmp(now + at, before + at, size) == 0) continue;
    for (size_t i = at; i < at + size; ++i) {
      if (now[i] != before[i]) to[i] = now[i];
    }
  }
}

}  // namespace

const Ref& StandIns::CopyOf(const DLTensor& original) {
  char* address = TensorData(original);
  const size_t nbytes = TensorBytes(original);
  const Shape shape(original.shape, original.shape + original.ndim);
  for (StandIn& known : stand_ins_) {
    if (known.address != address || known.nbytes != nbytes) continue;
    known.views.push_back(ViewTensor(known.views.front(), shape, original.dtype));
    return known.views.back();
  }
  StandIn made{address, nbytes, std::vector<char>(address, address + nbytes), {}};
  const Ref memory = NewMemory(nbytes, DLDevice{kDLCPU, original.device.device_id});
  made.views.push_back(ViewTensor(memory, shape, original.dtype));
  std::memcpy(TensorData(TensorOf(made.views.front())), address, nbytes);
  stand_ins_.push_back(std::move(made));
  return stand_ins_.back().views.front();
}

void StandIns::WriteBack() const {
  for (const StandIn& made : stand_ins_) {
    CopyChanges(TensorData(TensorOf(made.views.front())), made.before.data(), made.nbytes,
                made.address);
  }
}

}  // namespace tvmgo::classic
