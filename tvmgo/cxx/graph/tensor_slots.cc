// SPDX-License-Identifier: Apache-2.0
#include "graph/tensor_slots.h"

#include <utility>

#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

Ref ViewOfEntry(const Ref& memory, const Entry& entry) {
  return ViewTensor(memory, entry.shape, entry.dtype);
}

Ref Flatten(const Ref& tensor) {
  const DLTensor& shaped = TensorOf(tensor);
  int64_t count = 1;
  for (int32_t i = 0; i < shaped.ndim; ++i) count *= shaped.shape[i];
  return ViewTensor(tensor, {count}, shaped.dtype);
}

// Gives memory to all pools that have none.
void AllocatePools(const StoragePlan& plan, std::vector<Ref>* memory) {
  Ref block;
  if (plan.block_bytes > 0) block = NewMemory(plan.block_bytes, plan.block_device);
  for (size_t i = 0; i < plan.pools.size(); ++i) {
    const Pool& pool = plan.pools[i];
    Ref& own = (*memory)[i];
    if (own) continue;
    if (pool.place) {
      char* begin = static_cast<char*>(TensorOf(block).data) + *pool.place;
      own = BorrowMemory(begin, pool.nbytes, pool.device, block);
    } else {
      own = NewMemory(pool.nbytes, pool.device);
    }
  }
}

}  // namespace

TensorSlots::TensorSlots(const GraphProgram& program, const ParamSet& params)
    : program_(program),
      slots_(program.graph().entries.size()),
      access_of_pool_(program.num_pools(), Access::kNobody),
      cells_(program.layout().num_cells()) {
  std::vector<Ref> pools = program.constants();
  for (uint32_t i = 0; i < params.size(); ++i) {
    const uint32_t entry = program.input_entry(i);
    if (!params[i] || !program.can_share(entry)) continue;
    pools[program.pool_of_entry(entry)] = params[i];
    access(entry) = Access::kParamSets;
    slots_[entry].own = MakeViews(entry, params[i]);
  }
  AllocatePools(program.plan(), &pools);
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (!slots_[i].own.tensor) {
      const Ref& memory = pools[program.pool_of_entry(i)];
      slots_[i].own = MakeViews(i, ViewOfEntry(memory, program.graph().entries[i]));
    }
    UpdateCells(i);
  }
  for (uint32_t i = 0; i < params.size(); ++i) {
    const uint32_t entry = program.input_entry(i);
    if (params[i] && !program.can_share(entry)) WriteOwn(entry, TensorOf(params[i]));
  }
}

Ref TensorSlots::HandOut(uint32_t entry) {
  const bool lent = binding(entry) != Binding::kOwn;
  const DLTensor& own = TensorOf(current(entry));
  if (lent ? slots_[entry].read_only : program_.is_constant(entry)) {
    return CopyToDevice(own, own.device);
  }
  if (lent) return current(entry);
  if (access(entry) == Access::kParamSets) WriteOwn(entry, own);
  access(entry) = Access::kCaller;
  return current(entry);
}

TensorSlots::NewOwn TensorSlots::PrepareOwn(uint32_t entry) const {
  if (access(entry) != Access::kParamSets) return NewOwn();
  const Pool& pool = program_.pool(program_.pool_of_entry(entry));  // holds one input
  return ViewsOn(NewMemory(pool.nbytes, pool.device), entry);
}

void TensorSlots::WriteOwn(uint32_t entry, const DLTensor& from, NewOwn memory) {
  CopyTensor(from, TensorOf((memory.empty() ? slots_[entry].own : memory[0]).tensor));
  if (memory.empty()) return;
  const std::vector<uint32_t> group = program_.layout().JoinedWith(entry);
  for (size_t i = 0; i < group.size(); ++i) {
    std::swap(slots_[group[i]].own, memory[i]);
    UpdateCells(group[i]);
  }
  access(entry) = Access::kNobody;
}

Ref TensorSlots::Share(uint32_t entry) {
  const Slot& slot = slots_[entry];
  const bool elsewhere = slot.binding == Binding::kOutput;  // set_input writes there, then
  if (elsewhere || access(entry) == Access::kCaller || !program_.can_share(entry)) {
    const DLTensor& value = TensorOf((elsewhere ? slot.bound : slot.own).tensor);
    return CopyToDevice(value, value.device);
  }
  access(entry) = Access::kParamSets;
  return slot.own.tensor;
}

void TensorSlots::Bind(uint32_t entry, ViewsOfGroup views, Binding binding, bool read_only) {
  const std::vector<uint32_t> group = program_.layout().JoinedWith(entry);
  for (size_t i = 0; i < group.size(); ++i) {
    Slot& slot = slots_[group[i]];
    std::swap(slot.bound, views[i]);
    slot.binding = binding;
    slot.read_only = read_only;
    UpdateCells(group[i]);
  }
}

void TensorSlots::Unbind(uint32_t entry) {
  if (binding(entry) == Binding::kOwn) return;
  for (uint32_t joined : program_.layout().JoinedWith(entry)) {
    slots_[joined].binding = Binding::kOwn;
    UpdateCells(joined);
    slots_[joined].bound = Views();
  }
}

TensorSlots::Views TensorSlots::MakeViews(uint32_t entry, Ref tensor) const {
  Views views{std::move(tensor), Ref()};
  if (program_.layout().has_flat_use(entry)) views.flat = Flatten(views.tensor);
  return views;
}

TensorSlots::ViewsOfGroup TensorSlots::MakeViewsOn(const Ref& memory,
                                                   const std::vector<uint32_t>& group) const {
  ViewsOfGroup views;
  for (uint32_t entry : group) {
    views.push_back(MakeViews(entry, ViewOfEntry(memory, program_.graph().entries[entry])));
  }
  return views;
}

// Lets all cells of an entry show its current tensor.
void TensorSlots::UpdateCells(uint32_t entry) {
  const Slot& slot = slots_[entry];
  const Views& views = slot.binding == Binding::kOwn ? slot.own : slot.bound;
  for (SlotLayout::Use use : program_.layout().uses(entry)) {
    cells_[use.cell] = AnyObject((use.flat ? views.flat : views.tensor).get());
  }
}

}  // namespace tvmgo
