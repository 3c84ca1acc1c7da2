// SPDX-License-Identifier: Apache-2.0
//
// Fuzzing for compilers without libFuzzer:
//
//   fuzz TARGET CORPUS LEARNED RUNS SEED FINDING
//
// Every file of the folder CORPUS must be accepted; those of the folder LEARNED once led to code
// that no other input had reached. Then come each of the first cut off at every byte, each with
// every 4 and 8 bytes replaced by extreme numbers, and RUNS random mutations of all. An input
// that ends the process is left in the file FINDING.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

#include "mutate.h"
#include "targets.h"

namespace {

constexpr size_t kMaxBytes = 4096;
constexpr unsigned kMaxSeconds = 20;  // for one input

std::string_view current;
const char* finding;

void KeepFinding() {
  if (FILE* file = std::fopen(finding, "wb")) {
    std::fwrite(current.data(), 1, current.size(), file);
    std::fclose(file);
  }
}

void OnAlarm(int) {
  std::fputs("one input took too long\n", stderr);
  std::abort();
}

class Session {
 public:
  explicit Session(const fuzz::Target& target) : target_(target) {}

  bool Try(std::string_view input) {
    const std::unique_ptr<char[]> block(new char[input.size()]);  // exactly as long as the input
    std::copy(input.begin(), input.end(), block.get());
    current = std::string_view(block.get(), input.size());
    alarm(kMaxSeconds);
    const fuzz::Outcome outcome = fuzz::Run(target_, current);
    alarm(0);
    ++runs_;
    accepted_ += outcome.accepted;
    most_bytes_ = std::max(most_bytes_, outcome.peak_bytes);
    return outcome.accepted;
  }

  void Report() const {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin_;
    std::printf("%s: %zu inputs, %zu of them accepted, in %.1f s; at most %zu bytes of memory\n",
                target_.name, runs_, accepted_, seconds.count(), most_bytes_);
  }

 private:
  const fuzz::Target& target_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  size_t runs_ = 0, accepted_ = 0, most_bytes_ = 0;
};

std::vector<std::string> ReadFolder(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry);
  std::sort(paths.begin(), paths.end());  // a run depends on its seed only
  std::vector<std::string> contents;
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    contents.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return contents;
}

}  // namespace

int main(int argc, char** argv) {
  const fuzz::Target* target = argc == 7 ? fuzz::FindTarget(argv[1]) : nullptr;
  if (target == nullptr) {
    std::fputs("usage: fuzz TARGET CORPUS LEARNED RUNS SEED FINDING\n", stderr);
    return 2;
  }
  finding = argv[6];
  __sanitizer_set_death_callback(KeepFinding);
  std::signal(SIGALRM, OnAlarm);

  Session session(*target);
  std::vector<std::string> corpus = ReadFolder(argv[2]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s is empty\n", argv[2]);
    return 1;
  }
  for (const std::string& input : corpus) {
    if (!session.Try(input)) {
      std::fprintf(stderr, "not accepted: %.40s...\n", input.c_str());
      return 1;
    }
  }
  for (const std::string& input : corpus) {
    for (size_t size = 0; size < input.size(); ++size) session.Try(input.substr(0, size));
    for (size_t at = 0; at < input.size(); ++at) {
      for (uint64_t number : fuzz::kExtremes) {
        std::string changed = input;
        fuzz::PutNumber(&changed, at, number, number >> 32 ? 8 : 4);
        session.Try(changed);
      }
    }
  }
  for (std::string& input : ReadFolder(argv[3])) {
    session.Try(input);
    corpus.push_back(std::move(input));
  }
  fuzz::Random random(std::strtoull(argv[5], nullptr, 10));
  for (unsigned long long runs = std::strtoull(argv[4], nullptr, 10); runs != 0; --runs) {
    std::string input = corpus[random() % corpus.size()];
    fuzz::Mutate(random, &input, corpus[random() % corpus.size()], kMaxBytes);
    session.Try(input);
  }
  session.Report();
  return 0;
}
