// SPDX-License-Identifier: Apache-2.0
#include "classic/frame.h"

namespace tvmgo::classic {

__thread Frame* Frame::current_ = nullptr;

const Slot* Frame::FindSlot(const void* pointer) const {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  for (const Frame* frame = this; frame != nullptr; frame = frame->parent_) {
    const uintptr_t offset = address - reinterpret_cast<uintptr_t>(frame->slots_);
    if (offset / sizeof(Slot) < frame->num_slots_ && offset % sizeof(Slot) == 0) {
      return frame->slots_ + offset / sizeof(Slot);
    }
  }
  return nullptr;
}

}  // namespace tvmgo::classic
