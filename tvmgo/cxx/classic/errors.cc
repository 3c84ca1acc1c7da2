// SPDX-License-Identifier: Apache-2.0
#include "classic/errors.h"

#include <utility>

#include "classic/frame.h"

namespace tvmgo::classic {

void RecordError(Ref error) {
  Frame* frame = Frame::Current();
  if (frame != nullptr) {
    frame->SetError(std::move(error));
  } else {  // a thread of the library's own
    TVMFFIErrorSetRaised(error.get());
  }
}

}  // namespace tvmgo::classic
