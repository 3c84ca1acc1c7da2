// SPDX-License-Identifier: Apache-2.0
//
// Arguments of the runtime as a classic function gets them, in memory the caller provides:
// calls with few arguments need none from the heap.
#ifndef TVMGO_CXX_CLASSIC_TO_LIBRARY_ARGUMENTS_H_
#define TVMGO_CXX_CLASSIC_TO_LIBRARY_ARGUMENTS_H_

#include <memory>
#include <string_view>

#include "capi/kernel_rules.h"
#include "classic/abi.h"
#include "classic/frame.h"
#include "classic/tensor_view.h"
#include "ffi/ffi.h"
#include "tensor/aligned_copies.h"

namespace tvmgo::classic {

// Room for as many arguments as a kernel commonly has; nothing in it is initialised.
struct FewArguments {
  Cell cells[TVMGO_FEW_ARGUMENTS];
  int32_t codes[TVMGO_FEW_ARGUMENTS];
  Slot slots[TVMGO_FEW_ARGUMENTS];
  Bytes bytes[TVMGO_FEW_ARGUMENTS];  // of arguments that carry their bytes themselves
};

class ArgumentsToLibrary {
 public:
  // Converts all; throws TypeError or ValueError naming the argument. The room must outlive this.
  [[gnu::always_inline]] ArgumentsToLibrary(const char* function, const TVMFFIAny* args,
                                            int32_t size, FewArguments* few)
      : cells_(few->cells), codes_(few->codes), slots_(few->slots), bytes_(few->bytes) {
    // Kernels mostly take ordinary tensors and nothing else. No member is written in this loop,
    // which keeps everything in registers.
    Slot* slot = few->slots;
    int32_t i = 0;
    if (size <= TVMGO_FEW_ARGUMENTS) {
      for (; i < size; ++i, ++slot) {
        const TVMFFIAny& any = args[i];
        if (any.type_index != kTVMFFITensor) break;
        if (!DescribeOrdinaryTensor(*TVMFFITensorGetDLTensorPtr(any.v_obj), &slot->tensor)) break;
        slot->owner = any.v_obj;
        few->cells[i].pointer = &slot->tensor;
        few->codes[i] = kTensor;
      }
    }
    num_slots_ = i;
    if (__builtin_expect(i != size, false)) ConvertRest(function, args, i, size);
  }
  ArgumentsToLibrary(const ArgumentsToLibrary&) = delete;

  Cell* cells() const { return cells_; }
  int32_t* codes() const { return codes_; }
  const Slot* slots() const { return slots_; }
  size_t num_slots() const { return num_slots_; }

  // Makes what the function wrote to copies appear in the arguments.
  void WriteBack() const {
    if (rest_ != nullptr) rest_->copies.WriteBack();
  }

 private:
  // What uncommon arguments need.
  struct Rest {
    std::unique_ptr<Cell[]> cells;
    std::unique_ptr<int32_t[]> codes;
    std::unique_ptr<Slot[]> slots;
    std::unique_ptr<Bytes[]> bytes;
    AlignedCopies copies;
  };

  void AddSlot(int32_t index, TVMFFIObjectHandle owner) {
    Slot* slot = &slots_[num_slots_++];
    slot->owner = owner;
    cells_[index].pointer = &slot->tensor;
    codes_[index] = kTensor;
  }

  void ConvertRest(const char* function, const TVMFFIAny* args, int32_t first, int32_t size);
  void AllocateArrays(int32_t size);
  void Convert(const char* function, const TVMFFIAny& any, int32_t index);
  void AddTensor(const char* function, const DLTensor& tensor, TVMFFIObjectHandle owner,
                 int32_t index);
  void AddText(const char* function, std::string_view text, int32_t index);
  void AddObject(const char* function, TVMFFIObjectHandle object, int32_t index);
  Rest& rest();

  Cell* cells_;
  int32_t* codes_;
  Slot* slots_;
  Bytes* bytes_;
  size_t num_slots_;
  std::unique_ptr<Rest> rest_;
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_TO_LIBRARY_ARGUMENTS_H_
