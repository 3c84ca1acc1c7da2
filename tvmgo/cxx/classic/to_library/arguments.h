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
  TVMValue values[TVMGO_FEW_ARGUMENTS];
  int32_t codes[TVMGO_FEW_ARGUMENTS];
  TensorArg tensor_args[TVMGO_FEW_ARGUMENTS];
  Bytes bytes[TVMGO_FEW_ARGUMENTS];  // of arguments that carry their bytes themselves
};

class ArgumentsToLibrary {
 public:
  // Converts all; throws TypeError or ValueError naming the argument. The room must outlive this.
  [[gnu::always_inline]] ArgumentsToLibrary(const char* function, const TVMFFIAny* args,
                                            int32_t size, FewArguments* few)
      : values_(few->values),
        codes_(few->codes),
        tensor_args_(few->tensor_args),
        bytes_(few->bytes) {
    // Kernels mostly take ordinary tensors and nothing else. No member is written in this loop,
    // which keeps everything in registers.
    TensorArg* tensor_arg = few->tensor_args;
    int32_t i = 0;
    if (size <= TVMGO_FEW_ARGUMENTS) {
      for (; i < size; ++i, ++tensor_arg) {
        const TVMFFIAny& any = args[i];
        if (any.type_index != kTVMFFITensor) break;
        if (!DescribeOrdinaryTensor(*TVMFFITensorGetDLTensorPtr(any.v_obj), &tensor_arg->tensor))
          break;
        tensor_arg->owner = any.v_obj;
        few->values[i].pointer = &tensor_arg->tensor;
        few->codes[i] = kTensor;
      }
    }
    num_tensor_args_ = i;
    if (__builtin_expect(i != size, false)) ConvertUncommon(function, args, i, size);
  }
  ArgumentsToLibrary(const ArgumentsToLibrary&) = delete;

  TVMValue* values() const { return values_; }
  int32_t* codes() const { return codes_; }
  const TensorArg* tensor_args() const { return tensor_args_; }
  size_t num_tensor_args() const { return num_tensor_args_; }

  // Makes what the function wrote to copies appear in the arguments.
  void WriteBack() const {
    if (heap_ != nullptr) heap_->copies.WriteBack();
  }

 private:
  // What uncommon arguments need.
  struct HeapStorage {
    std::unique_ptr<TVMValue[]> values;
    std::unique_ptr<int32_t[]> codes;
    std::unique_ptr<TensorArg[]> tensor_args;
    std::unique_ptr<Bytes[]> bytes;
    AlignedCopies copies;
  };

  void AddTensorArg(int32_t index, TVMFFIObjectHandle owner) {
    TensorArg* tensor_arg = &tensor_args_[num_tensor_args_++];
    tensor_arg->owner = owner;
    values_[index].pointer = &tensor_arg->tensor;
    codes_[index] = kTensor;
  }

  void ConvertUncommon(const char* function, const TVMFFIAny* args, int32_t first, int32_t size);
  void AllocateArrays(int32_t size);
  void Convert(const char* function, const TVMFFIAny& any, int32_t index);
  void AddTensor(const char* function, const DLTensor& tensor, TVMFFIObjectHandle owner,
                 int32_t index);
  void AddText(const char* function, std::string_view text, int32_t index);
  void AddObject(const char* function, TVMFFIObjectHandle object, int32_t index);
  HeapStorage& heap();

  TVMValue* values_;
  int32_t* codes_;
  TensorArg* tensor_args_;
  Bytes* bytes_;
  size_t num_tensor_args_;
  std::unique_ptr<HeapStorage> heap_;
};

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_TO_LIBRARY_ARGUMENTS_H_
