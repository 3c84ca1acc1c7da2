// SPDX-License-Identifier: Apache-2.0
//
// What an error message is about, as in: input "x". Borrowed, so that naming something costs
// nothing while all goes well.
#ifndef TVMGO_CXX_FFI_ERROR_CONTEXT_H_
#define TVMGO_CXX_FFI_ERROR_CONTEXT_H_

#include <ostream>
#include <string>

namespace tvmgo {

struct ErrorContext {
  const char* kind;
  const std::string& name;
};

inline std::ostream& operator<<(std::ostream& out, const ErrorContext& context) {
  return out << context.kind << " \"" << context.name << '"';
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_ERROR_CONTEXT_H_
