// SPDX-License-Identifier: Apache-2.0
//
// How the arguments of all calls follow the entries of a graph. Each argument is a cell, a position
// in one long list; entries joined by `__nop` are one storage under different shapes.
#ifndef TVMGO_CXX_GRAPH_SLOT_LAYOUT_H_
#define TVMGO_CXX_GRAPH_SLOT_LAYOUT_H_

#include <cstdint>
#include <vector>

namespace tvmgo {

class SlotLayout {
 public:
  struct Use {
    uint32_t cell;
    bool flat;  // shows the entry in one dimension
  };

  explicit SlotLayout(uint32_t num_entries);

  // Joins two entries of equal size that share a pool. The second must not be joined with anything
  // yet: swapping within one ring would split it.
  void Join(uint32_t entry, uint32_t alone);
  // Adds an argument that shows the entry.
  void AddCell(uint32_t entry, bool flat);

  uint32_t num_cells() const { return num_cells_; }
  const std::vector<Use>& uses(uint32_t entry) const { return slots_[entry].uses; }
  bool has_flat_use(uint32_t entry) const { return slots_[entry].has_flat_use; }
  // The entry first, then all that are joined with it.
  std::vector<uint32_t> JoinedWith(uint32_t entry) const;

 private:
  struct Slot {
    std::vector<Use> uses;
    uint32_t next;  // ring of joined entries; itself when alone
    bool has_flat_use = false;
  };

  std::vector<Slot> slots_;
  uint32_t num_cells_ = 0;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_SLOT_LAYOUT_H_
