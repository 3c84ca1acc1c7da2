// SPDX-License-Identifier: Apache-2.0
#include "graph/slot_layout.h"

#include <utility>

namespace tvmgo {

SlotLayout::SlotLayout(uint32_t num_entries) : slots_(num_entries) {
  for (uint32_t i = 0; i < num_entries; ++i) slots_[i].next = i;
}

void SlotLayout::Join(uint32_t entry, uint32_t alone) {
  std::swap(slots_[entry].next, slots_[alone].next);
}

void SlotLayout::AddCell(uint32_t entry, bool flat) {
  Slot& slot = slots_[entry];
  slot.uses.push_back(Use{num_cells_++, flat});
  slot.has_flat_use |= flat;
}

std::vector<uint32_t> SlotLayout::JoinedWith(uint32_t entry) const {
  std::vector<uint32_t> group;
  uint32_t joined = entry;
  do {
    group.push_back(joined);
    joined = slots_[joined].next;
  } while (joined != entry);
  return group;
}

}  // namespace tvmgo
