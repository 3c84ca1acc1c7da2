// SPDX-License-Identifier: Apache-2.0
//
// One table of names and a two-field tail: see dtype_string.h for why this parser exists.
#include "tensor/dtype_string.h"

#include "capi/dtype_rules.h"
#include "ffi/ffi.h"

namespace tvmgo {
namespace {

struct BaseType {
  std::string_view name;
  uint8_t code;
  uint8_t bits;  // the default, or the only width when `fixed`
  bool fixed;    // no digits may follow the name
};

// A name that begins like another one stands before it.
constexpr BaseType kBaseTypes[] = {
    {"e4m3_float8", kDLFloat8_e4m3fn, 8, true},  // spelling of TVM 0.14-0.19
    {"e5m2_float8", kDLFloat8_e5m2, 8, true},
    {"float8_e3m4", kDLFloat8_e3m4, 8, true},  // spellings of today's exporter
    {"float8_e4m3b11fnuz", kDLFloat8_e4m3b11fnuz, 8, true},
    {"float8_e4m3fnuz", kDLFloat8_e4m3fnuz, 8, true},
    {"float8_e4m3fn", kDLFloat8_e4m3fn, 8, true},
    {"float8_e4m3", kDLFloat8_e4m3, 8, true},
    {"float8_e5m2fnuz", kDLFloat8_e5m2fnuz, 8, true},
    {"float8_e5m2", kDLFloat8_e5m2, 8, true},
    {"float8_e8m0fnu", kDLFloat8_e8m0fnu, 8, true},
    {"bfloat", kDLBfloat, 16, false},
    {"float", kDLFloat, 32, false},
    {"int", kDLInt, 32, false},
    {"uint", kDLUInt, 32, false},
    {"handle", kDLOpaqueHandle, 64, false},
};

// Walks over one dtype string; every error names the text and the position in it.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool Skip(std::string_view prefix) {
    if (text_.substr(position_, prefix.size()) != prefix) return false;
    position_ += prefix.size();
    return true;
  }

  bool AtDigit() const {
    return position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
  }

  // A decimal number in 1..max.
  uint32_t Number(const char* what, uint32_t max) {
    const size_t start = position_;
    uint64_t number = 0;
    while (AtDigit() && number <= max) number = number * 10 + (text_[position_++] - '0');
    if (number == 0 || number > max) {
      position_ = start;
      Fail(what);
    }
    return static_cast<uint32_t>(number);
  }

  // A width that numbers of this kind have.
  uint8_t Bits(DLDataType dtype) {
    const char* const what = "a bit width that such numbers have";
    const size_t start = position_;
    dtype.bits = static_cast<uint8_t>(Number(what, 255));
    if (!TVMGoHasNumbers(dtype)) {
      position_ = start;
      Fail(what);
    }
    return dtype.bits;
  }

  void ExpectEnd() const {
    if (position_ != text_.size()) Fail("the end of the name");
  }

  [[noreturn]] void Fail(const char* expected) const {
    TVM_FFI_THROW(ValueError) << "dtype \"" << text_ << "\": expected " << expected
                              << " at position " << position_;
    TVM_FFI_UNREACHABLE();
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

const BaseType& SkipBaseType(Cursor* cursor) {
  for (const BaseType& base : kBaseTypes) {
    if (cursor->Skip(base.name)) return base;
  }
  cursor->Fail("int, uint, float, bfloat, handle, a float8 name, or just bool");
}

}  // namespace

DLDataType ParseDType(std::string_view text) {
  if (text.empty() || text == "void") return DLDataType{kDLOpaqueHandle, 0, 0};
  if (text == "bool") return DLDataType{kDLUInt, 1, 1};
  Cursor cursor(text);
  const BaseType& base = SkipBaseType(&cursor);
  DLDataType dtype{base.code, base.bits, 1};
  if (!base.fixed && cursor.AtDigit()) {
    dtype.bits = cursor.Bits(dtype);
  }
  if (cursor.Skip("x")) {
    dtype.lanes =
        static_cast<uint16_t>(cursor.Number("a lane count of 1 to 32767", TVMGO_MOST_LANES));
  }
  cursor.ExpectEnd();
  return dtype;
}

DLDataType StoredDType(DLDataType dtype) {
  const uint32_t width = static_cast<uint32_t>(dtype.bits) * dtype.lanes;
  if (width != 0 && width % 8 == 0) return dtype;
  const bool integer = dtype.code == kDLInt || dtype.code == kDLUInt;
  if (dtype.code == kDLUInt && width == 1) return DLDataType{kDLBool, 8, 1};
  if (integer && (width == 1 || width == 4)) return DLDataType{dtype.code, 8, 1};
  TVM_FFI_THROW(ValueError) << "elements must be whole bytes, or integers of 1 or 4 bits, got "
                            << DTypeName(dtype);
  TVM_FFI_UNREACHABLE();
}

std::string DTypeName(DLDataType dtype) {
  // For messages of errors that are being thrown: throwing here as well would end the process.
  Value text;
  if (TVMFFIDataTypeToString(&dtype, text.cell()) == 0) return std::string(TextOf(text.view()));
  TVMFFIObjectHandle error = nullptr;
  TVMFFIErrorMoveFromRaised(&error);
  Ref::Steal(error);
  return "type code " + std::to_string(dtype.code) + " of " + std::to_string(dtype.bits) + " bits";
}

}  // namespace tvmgo
