// SPDX-License-Identifier: Apache-2.0
// The C library's memcpy in a loop: the bandwidth that copies are measured against.
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define EXPORT __attribute__((visibility("default")))

// Keeps the compiler from dropping copies whose result nobody reads.
static void touch(void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

EXPORT int copy_again(void* target, const void* source, size_t nbytes, size_t calls) {
  for (size_t i = 0; i < calls; ++i) {
    memcpy(target, source, nbytes);
    touch(target);
  }
  return 0;
}

// Large blocks ask for huge pages, from the size on and in the way that NumPy does.
static void* allocate(size_t nbytes) {
  void* memory = malloc(nbytes);
#ifdef __linux__
  if (memory != NULL && nbytes >= 1u << 22) {
    size_t skipped = 4096 - (size_t)memory % 4096;
    madvise((char*)memory + skipped, nbytes - skipped, MADV_HUGEPAGE);
  }
#endif
  return memory;
}

EXPORT int copy_fresh(const void* source, size_t nbytes, size_t calls) {
  for (size_t i = 0; i < calls; ++i) {
    void* target = allocate(nbytes);
    if (target == NULL) return -1;
    memcpy(target, source, nbytes);
    touch(target);
    free(target);
  }
  return 0;
}
