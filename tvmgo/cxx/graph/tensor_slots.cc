// SPDX-License-Identifier: Apache-2.0
#include "graph/tensor_slots.h"

#include <utility>

namespace tvmgo {
namespace {

Ref ViewLike(const Ref& memory, const DLTensor& like) {
  return ViewTensor(memory, Shape(like.shape, like.shape + like.ndim), like.dtype);
}

Ref Flatten(const Ref& tensor) {
  const DLTensor& shaped = TensorOf(tensor);
  int64_t count = 1;
  for (int32_t i = 0; i < shaped.ndim; ++i) count *= shaped.shape[i];
  return ViewTensor(tensor, {count}, shaped.dtype);
}

}  // namespace

TensorSlots::TensorSlots(const Graph& graph, const StoragePlan& plan,
                         const std::vector<Ref>& linked)
    : slots_(graph.entries.size()) {
  std::vector<Ref> pools = linked;
  for (size_t i = 0; i < pools.size(); ++i) {
    if (!pools[i]) pools[i] = NewMemory(plan.pools[i].nbytes, plan.pools[i].device);
  }
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    const Entry& entry = graph.entries[i];
    const uint32_t pool = plan.pool_of_entry[i];
    slots_[i].own.tensor = ViewTensor(pools[pool], entry.shape, entry.dtype);
    slots_[i].constant = static_cast<bool>(linked[pool]);
    slots_[i].next = i;
  }
}

void TensorSlots::Join(uint32_t entry, uint32_t alone) {
  std::swap(slots_[entry].next, slots_[alone].next);
}

void TensorSlots::AddCell(uint32_t entry, bool flat) {
  Slot& slot = slots_[entry];
  if (flat && !slot.own.flat) slot.own.flat = Flatten(slot.own.tensor);
  slot.uses.push_back(Use{num_cells(), flat});
  cells_.push_back(AnyObject((flat ? slot.own.flat : slot.own.tensor).get()));
}

void TensorSlots::Lend(uint32_t entry, const Ref& tensor, Lender lender) {
  const std::vector<uint32_t> group = JoinedWith(entry);
  std::vector<Showing> showings;
  for (uint32_t joined : group) {
    const Showing& own = slots_[joined].own;
    Showing showing;
    showing.tensor = ViewLike(tensor, TensorOf(own.tensor));
    if (own.flat) showing.flat = Flatten(showing.tensor);
    showings.push_back(std::move(showing));
  }
  for (size_t i = 0; i < group.size(); ++i) {
    Slot& slot = slots_[group[i]];
    std::swap(slot.lent, showings[i]);
    slot.lender = lender;
    Point(slot);
  }
}

void TensorSlots::Restore(uint32_t entry) {
  for (uint32_t joined : JoinedWith(entry)) {
    Slot& slot = slots_[joined];
    slot.lender = Lender::kNobody;
    Point(slot);
    slot.lent = Showing();
  }
}

std::vector<uint32_t> TensorSlots::JoinedWith(uint32_t entry) const {
  std::vector<uint32_t> group;
  uint32_t joined = entry;
  do {
    group.push_back(joined);
    joined = slots_[joined].next;
  } while (joined != entry);
  return group;
}

// Lets all cells of a slot show its current tensor.
void TensorSlots::Point(const Slot& slot) {
  const Showing& showing = slot.lender == Lender::kNobody ? slot.own : slot.lent;
  for (Use use : slot.uses) {
    cells_[use.cell].v_obj =
        static_cast<TVMFFIObject*>((use.flat ? showing.flat : showing.tensor).get());
  }
}

}  // namespace tvmgo
