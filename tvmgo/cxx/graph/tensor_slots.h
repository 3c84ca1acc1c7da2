// SPDX-License-Identifier: Apache-2.0
//
// One tensor slot per graph entry, shared by all operators that touch the entry. A slot shows the
// executor's own memory, or, after zero-copy, a tensor lent by the user; operators see the switch
// at once, because their arguments are cells kept here:
//
//   pool <---------- own view ---+
//                                +--- slot ---> cell, cell, ...   (arguments of prepared calls)
//   user's tensor <- lent view --+
//
// Entries joined by `__nop` are one storage under different shapes; their slots switch together.
#ifndef TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_
#define TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_

#include <cstdint>
#include <vector>

#include "formats/graph_json.h"
#include "graph/storage_plan.h"

namespace tvmgo {

// On whose behalf a tensor has been lent.
enum class Lender : uint8_t { kNobody, kInput, kOutput };

class TensorSlots {
 public:
  // Allocates all pools but those that are linked, see linked_params.h.
  TensorSlots(const Graph& graph, const StoragePlan& plan, const std::vector<Ref>& linked);

  // Set-up: joins two entries of equal size that share a pool, as `__nop` does. The second must not
  // be joined with anything yet (swapping within one ring would split it).
  void Join(uint32_t entry, uint32_t alone);
  // Set-up: adds an argument cell that follows the entry; a flat one shows it in one dimension.
  void AddCell(uint32_t entry, bool flat);
  uint32_t num_cells() const { return static_cast<uint32_t>(cells_.size()); }

  // The argument cells; the address is stable once set-up is over.
  const TVMFFIAny* cells() const { return cells_.data(); }

  const Ref& own(uint32_t entry) const { return slots_[entry].own.tensor; }
  const Ref& current(uint32_t entry) const {
    return slots_[entry].lender == Lender::kNobody ? own(entry) : slots_[entry].lent.tensor;
  }
  // Whether its own memory must never be written to.
  bool is_constant(uint32_t entry) const { return slots_[entry].constant; }
  Lender lender(uint32_t entry) const { return slots_[entry].lender; }

  // Redirects the entry and all joined with it to views on a checked tensor, which these keep
  // alive. All or nothing: when this throws, no slot has changed.
  void Lend(uint32_t entry, const Ref& tensor, Lender lender);
  // Goes back to own memory and lets the lent tensor go.
  void Restore(uint32_t entry);

 private:
  struct Showing {
    Ref tensor;
    Ref flat;  // only when some cell is flat
  };
  struct Use {
    uint32_t cell;
    bool flat;
  };
  struct Slot {
    Showing own;
    Showing lent;
    Lender lender = Lender::kNobody;
    bool constant = false;
    std::vector<Use> uses;
    uint32_t next;  // ring of joined entries; itself when alone
  };

  std::vector<uint32_t> JoinedWith(uint32_t entry) const;
  void Point(const Slot& slot);

  std::vector<Slot> slots_;
  std::vector<TVMFFIAny> cells_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_TENSOR_SLOTS_H_
