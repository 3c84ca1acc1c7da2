// SPDX-License-Identifier: Apache-2.0
// Which instructions this processor has, asked of itself.
#ifndef TVMGO_CAPI_CPU_FEATURES_H_
#define TVMGO_CAPI_CPU_FEATURES_H_
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

// The state that a system must save for instructions to be usable, as bits of XCR0.
enum { kTVMGoNoState = 0, kTVMGoYmm = 0x6, kTVMGoZmm = 0xe6 };
enum { kTVMGoEax, kTVMGoEbx, kTVMGoEcx, kTVMGoEdx };

typedef struct {
  const char* name;  // as LLVM calls it
  unsigned leaf, subleaf, reg, bit, state;
} TVMGoCpuFeature;

// Those that a compiler uses unasked.
static const TVMGoCpuFeature kTVMGoCpuFeatures[] = {
    {"sse3", 1, 0, kTVMGoEcx, 0, kTVMGoNoState},
    {"ssse3", 1, 0, kTVMGoEcx, 9, kTVMGoNoState},
    {"sse4.1", 1, 0, kTVMGoEcx, 19, kTVMGoNoState},
    {"sse4.2", 1, 0, kTVMGoEcx, 20, kTVMGoNoState},
    {"movbe", 1, 0, kTVMGoEcx, 22, kTVMGoNoState},
    {"popcnt", 1, 0, kTVMGoEcx, 23, kTVMGoNoState},
    {"lzcnt", 0x80000001, 0, kTVMGoEcx, 5, kTVMGoNoState},
    {"bmi", 7, 0, kTVMGoEbx, 3, kTVMGoNoState},
    {"bmi2", 7, 0, kTVMGoEbx, 8, kTVMGoNoState},
    {"gfni", 7, 0, kTVMGoEcx, 8, kTVMGoNoState},
    {"avx", 1, 0, kTVMGoEcx, 28, kTVMGoYmm},
    {"f16c", 1, 0, kTVMGoEcx, 29, kTVMGoYmm},
    {"fma", 1, 0, kTVMGoEcx, 12, kTVMGoYmm},
    {"fma4", 0x80000001, 0, kTVMGoEcx, 16, kTVMGoYmm},
    {"xop", 0x80000001, 0, kTVMGoEcx, 11, kTVMGoYmm},
    {"avx2", 7, 0, kTVMGoEbx, 5, kTVMGoYmm},
    {"avxvnni", 7, 1, kTVMGoEax, 4, kTVMGoYmm},
    {"avx512f", 7, 0, kTVMGoEbx, 16, kTVMGoZmm},
    {"avx512dq", 7, 0, kTVMGoEbx, 17, kTVMGoZmm},
    {"avx512ifma", 7, 0, kTVMGoEbx, 21, kTVMGoZmm},
    {"avx512cd", 7, 0, kTVMGoEbx, 28, kTVMGoZmm},
    {"avx512bw", 7, 0, kTVMGoEbx, 30, kTVMGoZmm},
    {"avx512vl", 7, 0, kTVMGoEbx, 31, kTVMGoZmm},
    {"avx512vbmi", 7, 0, kTVMGoEcx, 1, kTVMGoZmm},
    {"avx512vbmi2", 7, 0, kTVMGoEcx, 6, kTVMGoZmm},
    {"avx512vnni", 7, 0, kTVMGoEcx, 11, kTVMGoZmm},
    {"avx512bitalg", 7, 0, kTVMGoEcx, 12, kTVMGoZmm},
    {"avx512vpopcntdq", 7, 0, kTVMGoEcx, 14, kTVMGoZmm},
    {"avx512fp16", 7, 0, kTVMGoEdx, 23, kTVMGoZmm},
    {"avx512bf16", 7, 1, kTVMGoEax, 5, kTVMGoZmm},
};

// XCR0, or 0 where the system has not switched its use on.
static inline unsigned TVMGoSavedState(void) {
  unsigned regs[4] = {0, 0, 0, 0};
  const unsigned osxsave = 1u << 27;
  if (!__get_cpuid(1, &regs[0], &regs[1], &regs[2], &regs[3]) || !(regs[2] & osxsave)) return 0;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static inline int TVMGoCpuHas(const TVMGoCpuFeature* feature) {
  unsigned regs[4] = {0, 0, 0, 0};
  return __get_cpuid_count(feature->leaf, feature->subleaf, &regs[0], &regs[1], &regs[2],
                           &regs[3]) &&
         (regs[feature->reg] >> feature->bit & 1) != 0 &&
         (TVMGoSavedState() & feature->state) == feature->state;
}

// The first feature of a list with commas that this processor lacks, or NULL. Names that are not in
// the table count as present.
static inline const char* TVMGoMissingCpuFeature(const char* needed) {
  for (const char* name = needed; *name != 0;) {
    const size_t length = strcspn(name, ",");
    for (size_t i = 0; i < sizeof(kTVMGoCpuFeatures) / sizeof(*kTVMGoCpuFeatures); ++i) {
      const TVMGoCpuFeature* feature = &kTVMGoCpuFeatures[i];
      if (strlen(feature->name) == length && memcmp(feature->name, name, length) == 0 &&
          !TVMGoCpuHas(feature)) {
        return feature->name;
      }
    }
    name += length + (name[length] == ',');
  }
  return NULL;
}
#else
static inline const char* TVMGoMissingCpuFeature(const char* needed) { return NULL; }
#endif

#endif  // TVMGO_CAPI_CPU_FEATURES_H_
