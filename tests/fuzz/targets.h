// SPDX-License-Identifier: Apache-2.0
//
// One target per parser of untrusted files. A target ends the process when anything but the
// runtime's own error or std::bad_alloc leaves the parser, when a result breaks a promise of the
// parser's header, when memory was needed out of proportion to the input, or when some was kept.
#ifndef TVMGO_TESTS_FUZZ_TARGETS_H_
#define TVMGO_TESTS_FUZZ_TARGETS_H_

#include <cstddef>
#include <string_view>

// Of the sanitizers' interface, whose headers not every compiler brings.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                              void (*on_free)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void* block);
void __sanitizer_set_death_callback(void (*callback)());
}

namespace fuzz {

struct Target {
  const char* name;
  void (*parse)(std::string_view input);
};

// The target of that name, or null.
const Target* FindTarget(std::string_view name);

struct Outcome {
  bool accepted;      // the parser threw nothing
  size_t peak_bytes;  // the most memory it held at once
};

// `input` should be an allocation of its own, so that reading past its end is noticed.
Outcome Run(const Target& target, std::string_view input);

}  // namespace fuzz

#endif  // TVMGO_TESTS_FUZZ_TARGETS_H_
