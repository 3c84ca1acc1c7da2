// SPDX-License-Identifier: Apache-2.0
//
// The same targets under libFuzzer, which keeps inputs that reach new code:
//
//   fuzz TARGET [libFuzzer's arguments]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "mutate.h"
#include "targets.h"

namespace {
const fuzz::Target* target;
}

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  target = *argc > 1 ? fuzz::FindTarget((*argv)[1]) : nullptr;
  if (target == nullptr) {
    std::fputs("usage: fuzz TARGET [libFuzzer's arguments]\n", stderr);
    std::exit(2);
  }
  std::copy(*argv + 2, *argv + *argc + 1, *argv + 1);
  --*argc;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Run(*target, {reinterpret_cast<const char*>(data), size});
  return 0;
}

// Half of the changes are libFuzzer's, half are ours, which know numbers written as text.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  fuzz::Random random(seed);
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string changed(reinterpret_cast<char*>(data), size);
  fuzz::Mutate(random, &changed, {}, max_size);
  std::memcpy(data, changed.data(), changed.size());
  return changed.size();
}
