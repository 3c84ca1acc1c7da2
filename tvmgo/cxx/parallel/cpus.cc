// SPDX-License-Identifier: Apache-2.0
#include "parallel/cpus.h"

#include <algorithm>
#include <thread>

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#endif

namespace tvmgo::parallel {
namespace {

#ifdef __linux__
// Microseconds that all threads may run in each period: a share of the CPUs given to a container.
struct Quota {
  double time = 0;
  double period = 0;

  bool is_set() const { return time > 0 && period > 0; }  // "max" and -1 say that there is none
};

Quota ReadQuota() {
  Quota quota;
  std::ifstream("/sys/fs/cgroup/cpu.max") >> quota.time >> quota.period;
  if (quota.is_set()) return quota;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota.time;
  std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> quota.period;
  return quota;
}

// Machines with more CPUs than the set has room for are counted by the C++ library.
bool ReadAffinity(cpu_set_t* cpus) { return sched_getaffinity(getpid(), sizeof(*cpus), cpus) == 0; }
#endif

}  // namespace

int AllowedCpus() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  cpu_set_t cpus;
  if (ReadAffinity(&cpus)) count = CPU_COUNT(&cpus);
  const Quota quota = ReadQuota();
  if (quota.is_set() && quota.time < quota.period * count) {
    count = static_cast<int>((quota.time + quota.period - 1) / quota.period);
  }
#endif
  return std::max(count, 1);
}

void UseAllowedCpus() {
#ifdef __linux__
  cpu_set_t cpus;
  if (ReadAffinity(&cpus)) pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
#endif
}

int CurrentCpu() {
#ifdef __linux__
  return sched_getcpu();
#else
  return -1;
#endif
}

void AvoidCpu(int cpu) {
#ifdef __linux__
  if (cpu != sched_getcpu()) return;
  cpu_set_t cpus;
  if (!ReadAffinity(&cpus)) return;
  CPU_CLR(cpu, &cpus);
  pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);  // refused if none is left
#else
  (void)cpu;
#endif
}

}  // namespace tvmgo::parallel
