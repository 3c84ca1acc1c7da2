// SPDX-License-Identifier: Apache-2.0
//
// One run of a program: the memory for what the graph computes, the tensors set as inputs, the
// calls with their arguments. What the classic executor was is a state and its program together;
// executor_module.cc makes it a module of the runtime.
//
// A state serves one thread at a time. The module takes the state's turn for each call (turn.h), so
// neither a second thread nor a kernel that calls back can corrupt anything.
#ifndef TVMGO_CXX_GRAPH_GRAPH_STATE_H_
#define TVMGO_CXX_GRAPH_GRAPH_STATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/call_sequence.h"
#include "graph/copied_inputs.h"
#include "graph/graph_program.h"
#include "graph/param_set.h"
#include "graph/tensor_slots.h"
#include "graph/turn.h"
#include "parallel/thread_count.h"
#include "profiling/profiler.h"

namespace tvmgo {

class GraphState {
 public:
  // Allocates all memory but the parameters that are given. Inputs are zero.
  explicit GraphState(std::shared_ptr<const GraphProgram> program, const ParamSet& params = {});
  GraphState(const GraphState&) = delete;
  GraphState& operator=(const GraphState&) = delete;
  virtual ~GraphState() = default;

  const GraphProgram& program() const { return *program_; }
  Turn* turn() { return &turn_; }

  // A new state of the same program with the present values of this one's parameters. All else is
  // as in a state just made: other inputs are zero, and tensors given by zero-copy stay with this
  // one. Parses nothing, looks nothing up, and copies no parameter but those that were handed out
  // and those that lie where operators write; see param_set.h.
  virtual std::unique_ptr<GraphState> Clone() {
    return std::make_unique<GraphState>(program_, ShareParams());
  }

  // The live tensor, overwritten by the next run; the caller's own after zero-copy. Of constant
  // memory a copy, because nothing keeps a holder from writing to what he holds.
  Ref tensor(uint32_t entry) { return slots_.HandOut(entry); }
  Ref input(uint32_t index) { return tensor(program_->input_entry(index)); }
  Ref output(uint32_t index) { return tensor(program_->output_entry(index)); }
  // The tensor operators see. Only for reading: it may be part of a ParamSet.
  const Ref& current(uint32_t entry) const { return slots_.current(entry); }

  // Copies into an input; only the sizes in bytes must agree. After SetInputZeroCopy it goes back
  // to the state's own memory. An input that is bound to a tensor as an output is written there,
  // and one that is linked into the library cannot be written to.
  void SetInput(uint32_t index, const DLTensor& from);
  // The same for several inputs. All or nothing.
  using InputValue = GraphProgram::ParamValue;
  void SetInputs(const std::vector<InputValue>& values);
  // Throws what SetInput would throw before it copies.
  void CheckInput(uint32_t index, const DLTensor& from) const;
  // Makes the graph read from, or write to, the caller's tensor, which is kept alive. Tensors
  // joined by `__nop`, or one that is input and output at once, can be bound from one side only.
  void SetInputZeroCopy(uint32_t index, const Ref& tensor);
  void CheckInputZeroCopy(uint32_t index, const Ref& tensor) const;
  // The same for several inputs, also for memory that must not be written to, or that may be copied
  // at the start of every run if kernels cannot read it where it lies. All or nothing.
  struct Loan {
    uint32_t input;
    Ref tensor;
    bool read_only;
    bool may_copy;
  };
  void SetInputsZeroCopy(const std::vector<Loan>& loans);
  // How many copies such inputs have cost so far.
  int64_t num_copies() const { return copied_.number(); }
  void SetOutputZeroCopy(uint32_t index, const Ref& tensor);
  // Lends a tensor like the entry's own until TakeBack, if kernels can work on it and nobody has
  // lent one for the entry; whether that was so.
  bool TryLend(uint32_t entry, const Ref& tensor, Binding binding);
  void TakeBack(uint32_t entry) { slots_.Unbind(entry); }
  // Copies an entry, or an output, into a tensor of the same shape.
  void CopyEntry(const ErrorContext& what, uint32_t entry, const DLTensor& to) const;
  void CopyOutput(uint32_t index, const DLTensor& to) const;
  // Copies an entry into a tensor of the same shape and element type.
  void CopyLike(const ErrorContext& what, uint32_t entry, const DLTensor& to) const;

  // How many threads kernels may use in Run; 0, as at first: as many as the calling thread lets
  // them. A clone begins with 0.
  void set_max_threads(int count) { max_threads_ = count; }

  // Copies the parameters of a blob into the inputs of the same name, and skips the others.
  // All or nothing: a blob that is malformed or does not fit (see param_check.h) changes nothing.
  void LoadParams(std::string_view blob);
  // The same for one parameter.
  void SetParam(const std::string& name, const DLTensor& from);
  // Whether it was given as a parameter, or is linked into the library.
  bool IsParam(uint32_t index) const;

  void Run() {
    const parallel::ThreadLimit limit(max_threads_);
    BeginRun();
    if (profiler_ != nullptr && profiler_->is_on()) {
      RunProfiled();
    } else {
      calls_.Run();
    }
  }

  // Who records runs, while it is on. `label` tells states of different programs apart for whoever
  // reads it. A clone begins without.
  void set_profiler(std::shared_ptr<Profiler> profiler, int64_t label) {
    profiler_ = std::move(profiler);
    label_ = label;
  }

 protected:
  // What comes before the first operator.
  void BeginRun() { copied_.Refresh(); }
  ParamSet ShareParams();
  const std::shared_ptr<const GraphProgram>& shared_program() const { return program_; }

  bool HasCall(uint32_t node) const { return program_->CallOf(node).has_value(); }
  // Runs one node; placeholders and `__nop`s do nothing.
  void RunNode(uint32_t node) const {
    if (const auto call = program_->CallOf(node)) calls_.RunOne(*call);
  }

 private:
  void RunProfiled() const;
  void RequireInputNotOutput(uint32_t index) const;
  // Checks it; the copy that kernels are to read instead, or null.
  Ref CopyOfLoan(const Loan& loan) const;
  void WriteInput(uint32_t index, const DLTensor& from, TensorSlots::NewOwn memory);

  std::shared_ptr<const GraphProgram> program_;
  TensorSlots slots_;
  CallSequence calls_;
  std::vector<bool> is_param_;  // by input index; of equal names only the one that FindInput finds
  CopiedInputs copied_;
  int max_threads_ = 0;
  std::shared_ptr<Profiler> profiler_;
  int64_t label_ = 0;
  Turn turn_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_GRAPH_STATE_H_
