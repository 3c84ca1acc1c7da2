// SPDX-License-Identifier: Apache-2.0
//
// Codes are those which every release understands: a tensor is 7, a bool is 0.
#include "classic/to_library/arguments.h"

#include <sstream>
#include <string_view>

namespace tvmgo::classic {
namespace {

// Says which argument of which function an error is about.
template <typename Body>
void ForArgument(const char* function, int32_t index, Body&& body) {
  try {
    body();
  } catch (const tvm::ffi::Error& error) {
    std::ostringstream text;
    text << function << ": argument " << index << ": " << error.message();
    throw tvm::ffi::Error(error.kind(), text.str(), "");
  }
}

}  // namespace

ArgumentsToLibrary::HeapStorage& ArgumentsToLibrary::heap() {
  if (heap_ == nullptr) heap_ = std::make_unique<HeapStorage>();
  return *heap_;
}

void ArgumentsToLibrary::ConvertUncommon(const char* function, const TVMFFIAny* args, int32_t first,
                                         int32_t size) {
  if (size > TVMGO_FEW_ARGUMENTS) AllocateArrays(size);
  for (int32_t i = first; i < size; ++i) {
    const TVMFFIAny& any = args[i];
    if (any.type_index == kTVMFFITensor &&
        DescribeOrdinaryTensor(*TVMFFITensorGetDLTensorPtr(any.v_obj),
                               &tensor_args_[num_tensor_args_].tensor)) {
      AddTensorArg(i, any.v_obj);
    } else {
      Convert(function, any, i);
    }
  }
}

void ArgumentsToLibrary::AllocateArrays(int32_t size) {
  HeapStorage& owned = heap();
  owned.values.reset(values_ = new TVMValue[size]);
  owned.codes.reset(codes_ = new int32_t[size]);
  owned.tensor_args.reset(tensor_args_ = new TensorArg[size]);
  owned.bytes.reset(bytes_ = new Bytes[size]);
}

void ArgumentsToLibrary::Convert(const char* function, const TVMFFIAny& any, int32_t index) {
  TVMValue& value = values_[index];
  int32_t& code = codes_[index];
  value.number = 0;
  switch (any.type_index) {
    case kTVMFFINone:
      code = kNull;
      return;
    case kTVMFFIInt:
    case kTVMFFIBool:
      value.number = any.v_int64;
      code = kInt;
      return;
    case kTVMFFIFloat:
      value.real = any.v_float64;
      code = kFloat;
      return;
    case kTVMFFIOpaquePtr:
      value.pointer = any.v_ptr;
      code = kOpaque;
      return;
    case kTVMFFIDataType:
      value.dtype = any.v_dtype;
      code = kDType;
      return;
    case kTVMFFIDevice:
      value.device = any.v_device;
      code = kDevice;
      return;
    case kTVMFFIDLTensorPtr:
      return AddTensor(function, *static_cast<const DLTensor*>(any.v_ptr), nullptr, index);
    case kTVMFFIRawStr:
      value.text = any.v_c_str;
      code = kText;
      return;
    case kTVMFFISmallStr:  // lies in the caller's value, which lasts as long as the call
      return AddText(function, {any.v_bytes, any.small_str_len}, index);
    case kTVMFFIByteArrayPtr:
      value.pointer = any.v_ptr;
      code = kBytes;
      return;
    case kTVMFFISmallBytes:
      bytes_[index] = Bytes{any.v_bytes, any.small_str_len};
      value.pointer = &bytes_[index];
      code = kBytes;
      return;
    case kTVMFFIObjectRValueRef:
      return AddObject(function, *static_cast<TVMFFIObjectHandle*>(any.v_ptr), index);
    default:
      return AddObject(function, any.v_obj, index);
  }
}

void ArgumentsToLibrary::AddObject(const char* function, TVMFFIObjectHandle object, int32_t index) {
  TVMValue& value = values_[index];
  int32_t& code = codes_[index];
  value.pointer = object;
  if (object == nullptr) {
    code = kNull;
    return;
  }
  switch (TVMFFIObjectGetTypeIndex(object)) {
    case kTVMFFITensor:
      return AddTensor(function, *TVMFFITensorGetDLTensorPtr(object), object, index);
    case kTVMFFIStr: {
      const TVMFFIByteArray* text = TVMFFIBytesGetByteArrayPtr(object);
      return AddText(function, {text->data, text->size}, index);
    }
    case kTVMFFIBytes:
      value.pointer = TVMFFIBytesGetByteArrayPtr(object);
      code = kBytes;
      return;
    case kTVMFFIFunction:
      code = kFunction;
      return;
    case kTVMFFIModule:
      code = kModule;
      return;
    case kTVMFFIBigInt: {
      const Value text = Call(GetGlobal("ffi.ReprPrint"), AnyObject(object));
      TVM_FFI_THROW(OverflowError) << function << ": argument " << index << ": expected an int of "
                                   << "64 bits, got " << TextOf(text.view());
      TVM_FFI_UNREACHABLE();
    }
    default:  // old code can pass it on, nothing else
      code = kObject;
      return;
  }
}

void ArgumentsToLibrary::AddTensor(const char* function, const DLTensor& tensor,
                                   TVMFFIObjectHandle owner, int32_t index) {
  ForArgument(function, index, [&] {
    DLTensor* described = &tensor_args_[num_tensor_args_].tensor;
    if (DescribeTensorToLibrary(tensor, described) == Staging::kAlignedCopy) {
      // A callback that gets this argument must see what the function wrote, so it gets the
      // copy.
      owner = heap().copies.CopyOf(tensor);
      DescribeTensorToLibrary(*TVMFFITensorGetDLTensorPtr(owner), described);
    }
    AddTensorArg(index, owner);
  });
}

// A text for C ends at its first NUL, so one inside would cut it silently.
void ArgumentsToLibrary::AddText(const char* function, std::string_view text, int32_t index) {
  const size_t nul = text.find('\0');
  if (nul != std::string_view::npos) {
    TVM_FFI_THROW(ValueError) << function << ": argument " << index << ": expected a string "
                              << "without NUL characters, got one at position " << nul
                              << "; classic libraries stop reading there";
  }
  values_[index].text = text.data();
  codes_[index] = kText;
}

}  // namespace tvmgo::classic
