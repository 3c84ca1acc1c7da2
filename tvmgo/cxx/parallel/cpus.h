// SPDX-License-Identifier: Apache-2.0
//
// The CPUs that this process may use.
#ifndef TVMGO_CXX_PARALLEL_CPUS_H_
#define TVMGO_CXX_PARALLEL_CPUS_H_

namespace tvmgo::parallel {

// How many there are, 1 at least: those that the main thread is allowed, and of these no more than
// the process's control group has time for.
int AllowedCpus();

// Lets the calling thread run on all CPUs that the main thread is allowed, also if it was started
// by one that is bound to some of them.
void UseAllowedCpus();

// Where the calling thread runs at the moment; -1 if the system does not tell.
int CurrentCpu();

// Moves the calling thread away from a CPU if it is there, and keeps it away. Nothing where it is
// allowed no other.
void AvoidCpu(int cpu);

}  // namespace tvmgo::parallel

#endif  // TVMGO_CXX_PARALLEL_CPUS_H_
