// SPDX-License-Identifier: Apache-2.0
//
// The tensors of one state, a slot per graph entry, shared by all operators that touch the entry. A
// slot shows the state's own tensor or, after zero-copy, the caller's; operators see the switch at
// once, because their arguments are cells kept here:
//
//   pool or parameter <---- own view ----+
//                                        +--- slot ---> cell, cell, ...  (arguments of calls)
//   caller's tensor <------ bound view --+
//
// Slots of entries joined by `__nop` switch together.
#ifndef TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_
#define TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_

#include <cstdint>
#include <vector>

#include "graph/graph_program.h"
#include "graph/param_set.h"

namespace tvmgo {

// What a slot shows: the state's own tensor, or the caller's, bound to it as an input or output.
enum class Binding : uint8_t { kOwn, kInput, kOutput };

class TensorSlots {
 public:
  // Allocates all pools but those that are linked or in `params`. The program must outlive this.
  TensorSlots(const GraphProgram& program, const ParamSet& params);

  // The argument cells; the address is stable.
  const TVMFFIAny* cells() const { return cells_.data(); }

  Binding binding(uint32_t entry) const { return slots_[entry].binding; }
  // The tensor operators see. Only for reading: it may be part of a ParamSet.
  const Ref& current(uint32_t entry) const {
    const Slot& slot = slots_[entry];
    return (slot.binding == Binding::kOwn ? slot.own : slot.bound).tensor;
  }
  // The same for somebody outside, who may keep it and write to it. Of a linked constant, and of
  // what was lent only for reading, a copy.
  Ref HandOut(uint32_t entry);

  // Copies into the entry's own memory; the sizes have been compared. All or nothing.
  void WriteOwn(uint32_t entry, const DLTensor& from) { WriteOwn(entry, from, PrepareOwn(entry)); }
  // The same in two steps, so that several are written or none: the memory for the next value,
  // unless it goes where the present one is, and the copy.
  struct Views {
    Ref tensor;
    Ref flat;  // only when some cell is flat
  };
  using ViewsOfGroup = std::vector<Views>;  // of an entry and of all joined with it
  using NewOwn = ViewsOfGroup;
  NewOwn PrepareOwn(uint32_t entry) const;
  void WriteOwn(uint32_t entry, const DLTensor& from, NewOwn memory);
  // The present value as part of a ParamSet.
  Ref Share(uint32_t entry);

  // Redirects the entry and all joined with it to views on a checked tensor, which these keep
  // alive. Cannot fail. What is read-only is not handed out.
  void Bind(uint32_t entry, ViewsOfGroup views, Binding binding, bool read_only);
  ViewsOfGroup ViewsOn(const Ref& tensor, uint32_t entry) const {
    return MakeViewsOn(tensor, program_.layout().JoinedWith(entry));
  }
  // Goes back to the own tensor and lets the caller's go.
  void Unbind(uint32_t entry);

 private:
  // Who else can reach the own memory of a pool; see param_set.h.
  enum class Access : uint8_t { kNobody, kCaller, kParamSets };

  struct Slot {
    Views own;
    Views bound;
    Binding binding = Binding::kOwn;
    bool read_only = false;  // what is bound
  };

  Access& access(uint32_t entry) { return access_of_pool_[program_.pool_of_entry(entry)]; }
  Access access(uint32_t entry) const { return access_of_pool_[program_.pool_of_entry(entry)]; }
  Views MakeViews(uint32_t entry, Ref tensor) const;
  ViewsOfGroup MakeViewsOn(const Ref& memory, const std::vector<uint32_t>& group) const;
  void UpdateCells(uint32_t entry);

  const GraphProgram& program_;
  std::vector<Slot> slots_;
  std::vector<Access> access_of_pool_;
  std::vector<TVMFFIAny> cells_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_
