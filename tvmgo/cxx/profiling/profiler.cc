// SPDX-License-Identifier: Apache-2.0
#include "profiling/profiler.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "ffi/containers.h"

namespace tvmgo {
namespace {

int64_t ThreadNumber() {
#ifdef __linux__
  return syscall(SYS_gettid);
#else
  return static_cast<int64_t>(std::hash<std::thread::id>()(std::this_thread::get_id()) >> 1);
#endif
}

template <typename Item>
Value BytesOf(const std::vector<Item>& items) {
  return Value::Bytes(
      {reinterpret_cast<const char*>(items.data()), items.size() * sizeof(items[0])});
}

}  // namespace

void Profiler::Start(int64_t max_calls) {
  auto recording = std::make_unique<Recording>();
  const std::lock_guard<std::mutex> lock(mutex_);
  recording->number = ++number_;
  recording->max_calls = max_calls;
  recording_ = std::move(recording);
  is_on_ = true;
}

Value Profiler::Stop() {
  auto ended = std::make_unique<Recording>();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_on_ = false;
    if (recording_) ended = std::move(recording_);
  }
  std::vector<Value> blocks;
  for (Block& block : ended->blocks) {
    std::vector<Value> items;
    items.emplace_back(block.first);
    items.emplace_back(block.count);
    items.push_back(std::move(block.description));
    blocks.push_back(NewArray(items));
  }
  std::vector<Value> found;
  found.push_back(NewArray(blocks));
  found.push_back(BytesOf(ended->sums));
  found.push_back(BytesOf(ended->calls));
  found.emplace_back(ended->left_out);
  return NewArray(found);
}

void Profiler::Abandon() {
  is_on_ = false;
  recording_.release();
  new (&mutex_) std::mutex();
}

int64_t ProfiledRun::Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

ProfiledRun::ProfiledRun(Profiler* profiler) : profiler_(profiler) {
  {
    const std::lock_guard<std::mutex> lock(profiler->mutex_);
    number_ = profiler->number_;
  }
  start_ = Now();
}

Profiler::Recording* ProfiledRun::recording() const {
  Profiler::Recording* now = profiler_->recording_.get();
  return now != nullptr && now->number == number_ ? now : nullptr;
}

int64_t ProfiledRun::Find(std::string key, int64_t count, std::shared_ptr<const void> owner,
                          const std::function<Value()>& describe) {
  const std::lock_guard<std::mutex> lock(profiler_->mutex_);
  Profiler::Recording* const now = recording();
  if (now == nullptr) return Profiler::kRun;  // nobody will ask
  const auto next = static_cast<int64_t>(now->sums.size());
  const auto [place, is_new] = now->known.emplace(std::move(key), next);
  if (is_new) {
    now->sums.resize(now->sums.size() + count);
    now->blocks.push_back({next, count, std::move(owner), describe()});
  }
  return place->second;
}

int64_t ProfiledRun::num_operations() const {
  const std::lock_guard<std::mutex> lock(profiler_->mutex_);
  const Profiler::Recording* const now = recording();
  return now == nullptr ? 0 : static_cast<int64_t>(now->sums.size());
}

void ProfiledRun::Add(int64_t operation, int64_t start, int64_t end, int64_t elsewhere) {
  calls_.push_back({operation, start, end, elsewhere});
}

ProfiledRun::~ProfiledRun() {
  const int64_t end = Now();
  const int64_t thread = ThreadNumber();
  const std::lock_guard<std::mutex> lock(profiler_->mutex_);
  Profiler::Recording* const now = recording();
  if (now == nullptr) return;
  const auto add = [now, thread](const Call& call) {
    const int64_t duration = call.end - call.start;
    const int64_t own = duration - call.elsewhere;
    Profiler::Sums& sums = now->sums[call.operation];
    ++sums.calls;
    sums.total += own;
    sums.least = std::min(sums.least, own);
    sums.most = std::max(sums.most, own);
    if (static_cast<int64_t>(now->calls.size()) >= now->max_calls) {
      ++now->left_out;
      return;
    }
    try {
      now->calls.push_back({call.operation, thread, call.start, duration});
    } catch (const std::bad_alloc&) {
      ++now->left_out;
    }
  };
  add({Profiler::kRun, start_, end, 0});
  for (const Call& call : calls_) add(call);
}

}  // namespace tvmgo
