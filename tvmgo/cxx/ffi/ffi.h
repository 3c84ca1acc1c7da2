// SPDX-License-Identifier: Apache-2.0
//
// What every file here needs from tvm-ffi's C API, with ownership made visible: a Ref is one owned
// reference, a Value one owned any-value, everything else is borrowed. Only these two classes raise
// or lower a reference count.
//
// Failing C calls throw tvm::ffi::Error (TVM_FFI_CHECK_SAFE_CALL takes the raised error along), and
// CatchErrors hands the very same error object back to the runtime at our own C boundary.
#ifndef TVMGO_CXX_FFI_FFI_H_
#define TVMGO_CXX_FFI_FFI_H_

#include <tvm/ffi/c_api.h>
#include <tvm/ffi/error.h>
#include <tvm/ffi/function.h>

#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace tvmgo {

// One owned reference to a runtime object, or none.
class Ref {
 public:
  Ref() = default;
  Ref(const Ref& other) : Ref(Share(other.handle_)) {}
  Ref(Ref&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Ref() {
    if (handle_ != nullptr) TVMFFIObjectDecRef(handle_);
  }

  // Takes over a reference the caller owns.
  static Ref Steal(TVMFFIObjectHandle handle) {
    Ref ref;
    ref.handle_ = handle;
    return ref;
  }
  // Adds a reference to a borrowed object.
  static Ref Share(TVMFFIObjectHandle handle) {
    if (handle != nullptr) TVMFFIObjectIncRef(handle);
    return Steal(handle);
  }

  TVMFFIObjectHandle get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

  // Gives the reference away.
  TVMFFIObjectHandle Release() { return std::exchange(handle_, nullptr); }

 private:
  TVMFFIObjectHandle handle_ = nullptr;
};

// Borrowed any-values, ready to be passed as arguments.
inline TVMFFIAny AnyNone() { return TVMFFIAny{}; }

inline TVMFFIAny AnyInt(int64_t number) {
  TVMFFIAny any{};
  any.type_index = kTVMFFIInt;
  any.v_int64 = number;
  return any;
}

inline TVMFFIAny AnyDevice(DLDevice device) {
  TVMFFIAny any{};
  any.type_index = kTVMFFIDevice;
  any.v_device = device;
  return any;
}

inline TVMFFIAny AnyObject(TVMFFIObjectHandle handle) {
  TVMFFIAny any{};
  if (handle == nullptr) return any;
  any.type_index = TVMFFIObjectGetTypeIndex(handle);
  any.v_obj = static_cast<TVMFFIObject*>(handle);
  return any;
}

// Whether the value is a string or bytes, in any of the runtime's forms.
inline bool IsText(const TVMFFIAny& any) {
  switch (any.type_index) {
    case kTVMFFIRawStr:
    case kTVMFFISmallStr:
    case kTVMFFIStr:
    case kTVMFFIByteArrayPtr:
    case kTVMFFISmallBytes:
    case kTVMFFIBytes:
      return true;
    default:
      return false;
  }
}

// The content of a string or bytes value, borrowed: a short one lives in the cell itself.
inline std::string_view TextOf(const TVMFFIAny& any) {
  switch (any.type_index) {
    case kTVMFFIRawStr:
      return any.v_c_str;
    case kTVMFFISmallStr:
    case kTVMFFISmallBytes:
      return {any.v_bytes, any.small_str_len};
    case kTVMFFIByteArrayPtr: {
      const auto* bytes = static_cast<const TVMFFIByteArray*>(any.v_ptr);
      return {bytes->data, bytes->size};
    }
    default: {
      const TVMFFIByteArray* bytes = TVMFFIBytesGetByteArrayPtr(any.v_obj);
      return {bytes->data, bytes->size};
    }
  }
}

// One owned any-value: what a call returns, what a function gives back.
class Value {
 public:
  Value() : any_{} {}
  explicit Value(int64_t number) : any_(AnyInt(number)) {}
  explicit Value(double number) : any_{} {
    any_.type_index = kTVMFFIFloat;
    any_.v_float64 = number;
  }
  explicit Value(DLDataType dtype) : any_{} {
    any_.type_index = kTVMFFIDataType;
    any_.v_dtype = dtype;
  }
  explicit Value(Ref object) : any_(AnyObject(object.get())) { object.Release(); }
  explicit Value(std::string_view text) : any_{} {
    TVMFFIByteArray bytes{text.data(), text.size()};
    TVM_FFI_CHECK_SAFE_CALL(TVMFFIStringFromByteArray(&bytes, &any_));
  }
  static Value Bytes(std::string_view content) {
    TVMFFIByteArray bytes{content.data(), content.size()};
    Value value;
    TVM_FFI_CHECK_SAFE_CALL(TVMFFIBytesFromByteArray(&bytes, &value.any_));
    return value;
  }
  Value(Value&& other) noexcept : any_(std::exchange(other.any_, AnyNone())) {}
  Value& operator=(Value other) noexcept {
    std::swap(any_, other.any_);
    return *this;
  }
  ~Value() { Reset(); }

  const TVMFFIAny& view() const { return any_; }
  bool is_none() const { return any_.type_index == kTVMFFINone; }

  // The cell a callee may write its result into; it must hold None when passed.
  TVMFFIAny* cell() { return &any_; }

  void Reset() {
    if (any_.type_index >= kTVMFFIStaticObjectBegin) TVMFFIObjectDecRef(any_.v_obj);
    any_ = AnyNone();
  }

  // Gives the value away through a callee's result cell.
  void MoveTo(TVMFFIAny* result) { *result = std::exchange(any_, AnyNone()); }

  // Gives the object away; null when the value is not an object.
  Ref TakeObject() {
    if (any_.type_index < kTVMFFIStaticObjectBegin) return Ref();
    return Ref::Steal(std::exchange(any_, AnyNone()).v_obj);
  }

 private:
  TVMFFIAny any_;
};

// Calls a function object with borrowed arguments.
inline Value CallPacked(const Ref& function, const TVMFFIAny* args, size_t num_args) {
  Value result;
  TVMFFISafeCallType call = TVMFFIFunctionGetCellPtr(function.get())->safe_call;
  TVM_FFI_CHECK_SAFE_CALL(
      call(function.get(), args, static_cast<int32_t>(num_args), result.cell()));
  return result;
}

template <typename... Anys>
Value Call(const Ref& function, const Anys&... args) {
  const TVMFFIAny packed[sizeof...(Anys) + 1] = {args..., AnyNone()};
  return CallPacked(function, packed, sizeof...(Anys));
}

// The global function of that name, or null.
inline Ref FindGlobal(std::string_view name) {
  TVMFFIByteArray bytes{name.data(), name.size()};
  TVMFFIObjectHandle handle = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionGetGlobal(&bytes, &handle));
  return Ref::Steal(handle);
}

// The global function of that name, which libtvm_ffi itself registers.
inline Ref GetGlobal(std::string_view name) {
  Ref function = FindGlobal(name);
  if (!function) TVM_FFI_THROW(RuntimeError) << "libtvm_ffi lacks the function " << name;
  return function;
}

// Runs `body` at a C boundary: 0 when it returns, -1 with the error raised when it throws.
// There is no catch-all and no noexcept on purpose: pthread_exit, by which Python ends a daemon
// thread inside a callback, unwinds through here and would abort the process at either.
template <typename Body>
int CatchErrors(Body&& body) {
  try {
    body();
    return 0;
  } catch (const tvm::ffi::Error& error) {
    const tvm::ffi::Object* object = error.get();
    if (object != nullptr) {
      TVMFFIErrorSetRaised(const_cast<tvm::ffi::Object*>(object));
    } else {  // a callee returned -1 without raising anything
      TVMFFIErrorSetRaisedFromCStr("RuntimeError", "a function failed without naming its error");
    }
  } catch (const std::bad_alloc&) {
    TVMFFIErrorSetRaisedFromCStr("MemoryError", "out of memory");
  } catch (const std::exception& error) {
    TVMFFIErrorSetRaisedFromCStr("InternalError", error.what());
  }
  return -1;
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_FFI_H_
