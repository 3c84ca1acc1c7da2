// SPDX-License-Identifier: Apache-2.0
#include "ffi/forks.h"

#ifndef _WIN32
#include <dlfcn.h>
#include <pthread.h>
#endif

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace tvmgo {
namespace {

struct Awaited {
  std::mutex mutex;  // of the list; taken first
  std::vector<std::mutex*> list;
};

Awaited& awaited() {
  static Awaited& all = *new Awaited;
  return all;
}

#ifndef _WIN32
void LockAll() {
  awaited().mutex.lock();
  for (std::mutex* each : awaited().list) each->lock();
}

void UnlockAll() {
  for (std::mutex* each : awaited().list) each->unlock();
  awaited().mutex.unlock();
}

[[maybe_unused]] const int kForksWait = pthread_atfork(LockAll, UnlockAll, UnlockAll);

// The runtime's memory manager, to which no C function leads, but for what its table holds.
struct MemoryManager {
  std::mutex mutex;
  std::unordered_map<int64_t, int64_t> allocators;
};

MemoryManager* MachineMemory() {
  constexpr char kGlobal[] = "_ZN3tvm7runtime6memory13MemoryManager6GlobalEv";
  auto* global = reinterpret_cast<MemoryManager* (*)()>(dlsym(RTLD_DEFAULT, kGlobal));
  return global == nullptr ? nullptr : global();
}
#endif

}  // namespace

void ForksAwait(std::mutex* mutex) {
  const std::lock_guard<std::mutex> lock(awaited().mutex);
  std::vector<std::mutex*>& list = awaited().list;
  if (std::find(list.begin(), list.end(), mutex) == list.end()) list.push_back(mutex);
}

Value ForksAwaitMachineMemory(const CallArgs& args) {
  args.RequireSize(0, 0);
#ifndef _WIN32
  MemoryManager* memory = MachineMemory();
  // The number, which no table changes, shows that it lies as it does in the releases known.
  if (memory != nullptr && memory->allocators.max_load_factor() == 1.0F) ForksAwait(&memory->mutex);
#endif
  return Value();
}

}  // namespace tvmgo
