// SPDX-License-Identifier: Apache-2.0
//
// What an error message is about, as in: input "x". Borrowed, so that naming something costs
// nothing while all goes well.
#ifndef TVMGO_CXX_FFI_LABEL_H_
#define TVMGO_CXX_FFI_LABEL_H_

#include <ostream>
#include <string>

namespace tvmgo {

struct Label {
  const char* kind;
  const std::string& name;
};

inline std::ostream& operator<<(std::ostream& out, const Label& label) {
  return out << label.kind << " \"" << label.name << '"';
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_LABEL_H_
