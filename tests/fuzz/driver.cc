// SPDX-License-Identifier: Apache-2.0
//
// Fuzzing for compilers without libFuzzer:
//
//   fuzz TARGET CORPUS RUNS SEED FINDING
//
// Every file of the folder CORPUS must be accepted. Then come each of them cut off at every byte,
// each with every 4 and 8 bytes replaced by numbers of interest, and RUNS random mutations. An
// input that ends the process is left in the file FINDING.
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

}  // namespace

int main(int argc, char** argv) {
  const fuzz::Target* target = argc == 6 ? fuzz::FindTarget(argv[1]) : nullptr;
  if (target == nullptr) {
    std::fputs("usage: fuzz TARGET CORPUS RUNS SEED FINDING\n", stderr);
    return 2;
  }
  finding = argv[5];
  __sanitizer_set_death_callback(KeepFinding);
  std::signal(SIGALRM, OnAlarm);

  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) paths.push_back(entry);
  std::sort(paths.begin(), paths.end());  // a run depends on its seed only
  std::vector<std::string> corpus;
  Session session(*target);
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!session.Try(corpus.back())) {
      std::fprintf(stderr, "%s is not accepted\n", path.c_str());
      return 1;
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s is empty\n", argv[2]);
    return 1;
  }
  for (const std::string& input : corpus) {
    for (size_t size = 0; size < input.size(); ++size) session.Try(input.substr(0, size));
    for (size_t at = 0; at < input.size(); ++at) {
      for (uint64_t number : fuzz::kNumbers) {
        std::string changed = input;
        fuzz::PutNumber(&changed, at, number, number >> 32 ? 8 : 4);
        session.Try(changed);
      }
    }
  }
  fuzz::Random random(std::strtoull(argv[4], nullptr, 10));
  for (unsigned long long runs = std::strtoull(argv[3], nullptr, 10); runs != 0; --runs) {
    std::string input = corpus[random() % corpus.size()];
    fuzz::Mutate(random, &input, corpus[random() % corpus.size()], kMaxBytes);
    session.Try(input);
  }
  session.Report();
  return 0;
}
