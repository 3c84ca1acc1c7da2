// SPDX-License-Identifier: Apache-2.0
#include "classic/from_library/callback.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capi/kernel_rules.h"
#include "classic/frame.h"
#include "classic/loading/context.h"
#include "classic/tensor_view.h"
#include "ffi/ffi.h"
#include "tensor/dtype_string.h"

namespace tvmgo::classic {
namespace {

// A DLTensor which the library described itself, mostly on its stack, as an object of the runtime.
// The description is copied; the memory is the library's and ends with the call, as it always did.
Ref WrapTensor(const DLTensor& tensor) {
  struct Borrowed {
    DLManagedTensor managed{};
    std::vector<int64_t> shape, strides;
  };
  auto borrowed = std::make_unique<Borrowed>();
  borrowed->shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  DLTensor& view = borrowed->managed.dl_tensor;
  view = tensor;
  view.shape = borrowed->shape.data();
  view.dtype = DTypeFromLibrary(tensor.dtype);
  if (tensor.strides != nullptr) {
    borrowed->strides.assign(tensor.strides, tensor.strides + tensor.ndim);
    view.strides = borrowed->strides.data();
  }
  borrowed->managed.manager_ctx = borrowed.get();
  borrowed->managed.deleter = [](DLManagedTensor* self) {
    delete static_cast<Borrowed*>(self->manager_ctx);
  };
  TVMFFIObjectHandle handle = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFITensorFromDLPack(&borrowed->managed, 0, 0, &handle));
  borrowed.release();
  return Ref::Steal(handle);
}

// The arguments as the callee gets them, and the tensors made for it.
class ArgumentsFromLibrary {
 public:
  ArgumentsFromLibrary(const TVMValue* values, const int32_t* codes, int32_t size) {
    if (size > TVMGO_FEW_ARGUMENTS) many_.resize(size);
    for (int32_t i = 0; i < size; ++i) data()[i] = Convert(values[i], codes[i], i);
  }

  const TVMFFIAny* data() const { return many_.empty() ? few_ : many_.data(); }

 private:
  TVMFFIAny* data() { return many_.empty() ? few_ : many_.data(); }

  TVMFFIAny Convert(const TVMValue& value, int32_t code, int32_t index) {
    TVMFFIAny any{};
    switch (code) {
      case kInt:
      case kUInt:
        return AnyInt(value.number);
      case kBool:
        any.type_index = kTVMFFIBool;
        any.v_int64 = value.number != 0;
        return any;
      case kFloat:
        any.type_index = kTVMFFIFloat;
        any.v_float64 = value.real;
        return any;
      case kOpaque:
        any.type_index = kTVMFFIOpaquePtr;
        any.v_ptr = value.pointer;
        return any;
      case kNull:
        return any;
      case kDType:
        any.type_index = kTVMFFIDataType;
        any.v_dtype = value.dtype;
        return any;
      case kDevice:
        any.type_index = kTVMFFIDevice;
        any.v_device = value.device;
        return any;
      case kTensor:
        return Tensor(static_cast<const DLTensor*>(value.pointer));
      case kNDArray:
        return NDArray(static_cast<char*>(value.pointer));
      case kObject:
      case kModule:
      case kFunction:
        return AnyObject(value.pointer);
      case kText:
        any.type_index = value.text != nullptr ? kTVMFFIRawStr : kTVMFFINone;
        any.v_c_str = value.text;
        return any;
      case kBytes:
        any.type_index = value.pointer != nullptr ? kTVMFFIByteArrayPtr : kTVMFFINone;
        any.v_ptr = value.pointer;
        return any;
      case kRValueRef:
        return AnyObject(*static_cast<TVMFFIObjectHandle*>(value.pointer));
      default:
        TVM_FFI_THROW(TypeError) << "TVMFuncCall: argument " << index << " has the type code "
                                 << code << ", which no longer has a meaning";
        TVM_FFI_UNREACHABLE();
    }
  }

  TVMFFIAny Tensor(const DLTensor* tensor) {
    if (tensor == nullptr) return AnyNone();
    const TensorArg* tensor_arg = FindTensorArg(tensor);
    if (tensor_arg != nullptr && tensor_arg->owner != nullptr) return AnyObject(tensor_arg->owner);
    made_.push_back(WrapTensor(*tensor));
    return AnyObject(made_.back().get());
  }

  // To library code this is the same as a tensor, so it may say either of an argument.
  TVMFFIAny NDArray(char* tensor) {
    if (tensor == nullptr) return AnyNone();
    if (FindTensorArg(tensor) != nullptr) return Tensor(reinterpret_cast<const DLTensor*>(tensor));
    return AnyObject(tensor - sizeof(TVMFFIObject));
  }

  static const TensorArg* FindTensorArg(const void* pointer) {
    const Frame* frame = Frame::Current();
    return frame == nullptr ? nullptr : frame->FindTensorArg(pointer);
  }

  TVMFFIAny few_[TVMGO_FEW_ARGUMENTS];
  std::vector<TVMFFIAny> many_;
  std::vector<Ref> made_;
};

// A text which the library gets by pointer lives until the thread's next call.
const std::string& KeepText(std::string_view text) {
  static thread_local std::string kept;
  return kept = text;
}

Bytes* KeepBytes(std::string_view content) {
  static thread_local Bytes kept;
  const std::string& bytes = KeepText(content);
  kept = Bytes{bytes.data(), bytes.size()};
  return &kept;
}

// Hands an object over to the library, which owns it from now on.
void* TransferObject(Ref object) {
  void* handle = object.get();
  const Frame* frame = Frame::Current();
  if (frame != nullptr && frame->context() != nullptr) {
    frame->context()->TransferToLibrary(std::move(object));
  } else {
    object.Release();
  }
  return handle;
}

int32_t ConvertObjectResult(Ref object, int32_t type_index, TVMValue* value) {
  value->pointer = TransferObject(std::move(object));
  switch (type_index) {
    case kTVMFFITensor:
      value->pointer = static_cast<char*>(value->pointer) + sizeof(TVMFFIObject);
      return kNDArray;
    case kTVMFFIFunction:
      return kFunction;
    case kTVMFFIModule:
      return kModule;
    default:
      return kObject;
  }
}

// Writes a result as the classic runtime did, and returns its code.
int32_t ConvertResult(Value result, TVMValue* value) {
  const TVMFFIAny any = result.view();
  switch (any.type_index) {
    case kTVMFFINone:
      value->pointer = nullptr;
      return kNull;
    case kTVMFFIInt:
    case kTVMFFIBool:
      value->number = any.v_int64;
      return kInt;
    case kTVMFFIFloat:
      value->real = any.v_float64;
      return kFloat;
    case kTVMFFIOpaquePtr:
      value->pointer = any.v_ptr;
      return kOpaque;
    case kTVMFFIDataType:
      value->text = KeepText(DTypeName(any.v_dtype)).c_str();
      return kText;
    case kTVMFFIDevice:
      value->device = any.v_device;
      return kDevice;
    case kTVMFFIDLTensorPtr:
      value->pointer = any.v_ptr;
      return kTensor;
    case kTVMFFIRawStr:
    case kTVMFFISmallStr:
    case kTVMFFIStr:
      value->text = KeepText(TextOf(any)).c_str();
      return kText;
    case kTVMFFIByteArrayPtr:
    case kTVMFFISmallBytes:
    case kTVMFFIBytes:
      value->pointer = KeepBytes(TextOf(any));
      return kBytes;
    default:
      return ConvertObjectResult(result.TakeObject(), any.type_index, value);
  }
}

}  // namespace

void CallBack(void* function, const TVMValue* args, const int32_t* codes, int32_t num_args,
              TVMValue* result, int32_t* result_code) {
  if (function == nullptr || TVMFFIObjectGetTypeIndex(function) != kTVMFFIFunction) {
    TVM_FFI_THROW(TypeError) << "TVMFuncCall: expected a function, got "
                             << (function == nullptr ? "NULL" : "another object");
  }
  const Ref held = Ref::Share(function);  // the callee may replace what the library took it from
  const ArgumentsFromLibrary converted(args, codes, num_args);
  *result_code = ConvertResult(CallPacked(held, converted.data(), num_args), result);
}

}  // namespace tvmgo::classic
