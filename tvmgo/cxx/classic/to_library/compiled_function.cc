// SPDX-License-Identifier: Apache-2.0
//
// Call is the hot path: for up to eight ordinary arguments no allocation,
// no look-up, no reference counting.
#include "classic/to_library/compiled_function.h"

#include <memory>
#include <utility>

#include "classic/errors.h"
#include "classic/frame.h"
#include "classic/to_library/arguments.h"
#include "ffi/module_object.h"

namespace tvmgo::classic {
namespace {

struct CompiledFunction {
  PackedFunction code;
  Context* context;  // lives as long as the module
  Ref module;
  std::string name;
  bool calls_runtime;

  [[gnu::flatten]] static int Call(void* self, const TVMFFIAny* args, int32_t num_args,
                                   TVMFFIAny* result);

  // A call that has come back.
  struct Returned {
    const ArgumentsToLibrary& arguments;
    const TVMFFIAny* args;
    int32_t num_args;
  };

  // Out of the way of the hot path.
  [[gnu::noinline]] static void ClearRaisedError();
  [[noreturn, gnu::cold]] void Fail(Frame* frame, int32_t return_code) const;
  [[gnu::noinline]] void ConvertResult(const Returned& call, const TVMValue& value, int32_t code,
                                       TVMFFIAny* result) const;
  static Ref ArgumentAt(const void* pointer, const Returned& call);
};

int CompiledFunction::Call(void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  return CatchErrors([=] {
    const auto& function = *static_cast<const CompiledFunction*>(self);
    FewArguments few;
    const ArgumentsToLibrary arguments(function.name.c_str(), args, num_args, &few);
    Frame frame(function.context, function.module.get(), arguments.tensor_args(),
                arguments.num_tensor_args());
    if (function.calls_runtime) ClearRaisedError();
    TVMValue value;
    value.number = 0;
    int32_t code = kNull;  // stays when the function writes nothing, as those of 0.2-0.6 do
    const int32_t failure =
        function.code(arguments.values(), arguments.codes(), num_args, &value, &code, nullptr);
    if (__builtin_expect(failure != 0, false)) function.Fail(&frame, failure);
    arguments.WriteBack();
    if (code != kNull) {
      function.ConvertResult(Returned{arguments, args, num_args}, value, code, result);
    }
  });
}

// An error from before must not pass for this call's.
void CompiledFunction::ClearRaisedError() { TakeRaisedErrorIfAny(); }

void CompiledFunction::Fail(Frame* frame, int32_t return_code) const {
  if (Ref error = frame->TakeError()) ThrowError(error);
  if (calls_runtime) {
    if (Ref error = TakeRaisedErrorIfAny()) ThrowError(error);
  }
  TVM_FFI_THROW(RuntimeError) << name << " failed without an error message (code " << return_code
                              << ")";
  TVM_FFI_UNREACHABLE();
}

// The tensor object behind a private copy which the function gives back; null for other pointers.
Ref CompiledFunction::ArgumentAt(const void* pointer, const Returned& call) {
  for (int32_t i = 0; i < call.num_args; ++i) {
    if (call.arguments.codes()[i] == kTensor && call.arguments.values()[i].pointer == pointer &&
        call.args[i].type_index == kTVMFFITensor) {
      return Ref::Share(call.args[i].v_obj);  // the original, even where a copy was used
    }
  }
  const TensorArg* tensor_arg = Frame::Current()->FindTensorArg(pointer);
  return tensor_arg == nullptr ? Ref() : Ref::Share(tensor_arg->owner);
}

void CompiledFunction::ConvertResult(const Returned& call, const TVMValue& value, int32_t code,
                                     TVMFFIAny* result) const {
  if (code == kTensor || code == kNDArray) {
    if (Ref argument = ArgumentAt(value.pointer, call)) {
      return Value(std::move(argument)).MoveTo(result);
    }
  }
  const auto return_object = [&](void* object) {
    if (object != nullptr) Value(context->TransferFromLibrary(object)).MoveTo(result);
  };
  switch (code) {
    case kInt:
    case kUInt:
      result->type_index = kTVMFFIInt;
      result->v_int64 = value.number;
      return;
    case kBool:
      result->type_index = kTVMFFIBool;
      result->v_int64 = value.number != 0;
      return;
    case kFloat:
      result->type_index = kTVMFFIFloat;
      result->v_float64 = value.real;
      return;
    case kOpaque:
      result->type_index = kTVMFFIOpaquePtr;
      result->v_ptr = value.pointer;
      return;
    case kDType:
      result->type_index = kTVMFFIDataType;
      result->v_int64 = 0;
      result->v_dtype = value.dtype;
      return;
    case kDevice:
      result->type_index = kTVMFFIDevice;
      result->v_device = value.device;
      return;
    case kObject:
    case kModule:
    case kFunction:
      return return_object(value.pointer);
    case kNDArray:
      if (value.pointer == nullptr) return;
      if (Frame::Current()->FindTensorArg(value.pointer) == nullptr) {
        return return_object(static_cast<char*>(value.pointer) - sizeof(TVMFFIObject));
      }
      [[fallthrough]];  // the copy of a bare DLTensor is no part of an object
    case kTensor:
      TVM_FFI_THROW(TypeError) << name << " returned a tensor that belongs to nobody";
      return;
    case kText:
      if (value.text != nullptr) Value(std::string_view(value.text)).MoveTo(result);
      return;
    case kBytes: {
      const auto* bytes = static_cast<const Bytes*>(value.pointer);
      if (bytes == nullptr) return;
      TVM_FFI_CHECK_SAFE_CALL(TVMFFIBytesFromByteArray(bytes, result));
      return;
    }
    default:
      TVM_FFI_THROW(TypeError) << name << " returned a value of type code " << code
                               << ", which no longer has a meaning";
  }
}

}  // namespace

Ref NewCompiledFunction(std::string name, PackedFunction code, Context* context, Ref module,
                        bool calls_runtime) {
  auto function = std::make_unique<CompiledFunction>();
  function->code = code;
  function->context = context;
  function->module = std::move(module);
  function->name = std::move(name);
  function->calls_runtime = calls_runtime;
  return NewFunction(std::move(function), CompiledFunction::Call);
}

}  // namespace tvmgo::classic
