// SPDX-License-Identifier: Apache-2.0
//
// Changes to an input, such as broken or hostile files have them.
#ifndef TVMGO_TESTS_FUZZ_MUTATE_H_
#define TVMGO_TESTS_FUZZ_MUTATE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace fuzz {

using Random = std::mt19937_64;

// Numbers at which arithmetic on lengths goes wrong.
constexpr uint64_t kNumbers[] = {0,
                                 1,
                                 2,
                                 7,
                                 8,
                                 64,
                                 127,
                                 128,
                                 255,
                                 256,
                                 32767,
                                 65535,
                                 65536,
                                 0x7FFFFFFF,
                                 0x80000000,
                                 0xFFFFFFF8,
                                 0xFFFFFFFF,
                                 0x100000000,
                                 0x1FFFFFFFFFFFFFFF,
                                 0x2000000000000000,
                                 0x7FFFFFFFFFFFFFF8,
                                 0x7FFFFFFFFFFFFFFF,
                                 0x8000000000000000,
                                 0xFFFFFFFFFFFFFFF8,
                                 0xFFFFFFFFFFFFFFFF};

// Enough of them for every place of an input.
constexpr uint64_t kExtremes[] = {0,
                                  1,
                                  0x7FFFFFFF,
                                  0xFFFFFFFF,
                                  0x100000000,
                                  0x2000000000000000,
                                  0x7FFFFFFFFFFFFFFF,
                                  0xFFFFFFFFFFFFFFFF};

// The same for numbers that are written as text, and what JSON may have in their place.
constexpr const char* kTexts[] = {"0",
                                  "-1",
                                  "1",
                                  "2",
                                  "255",
                                  "65536",
                                  "2147483647",
                                  "2147483648",
                                  "4294967295",
                                  "4294967296",
                                  "4611686018427387904",
                                  "9223372036854775807",
                                  "-9223372036854775808",
                                  "9223372036854775808",
                                  "1e3",
                                  "1e400",
                                  "0.5",
                                  "NaN",
                                  "Infinity",
                                  "null",
                                  "true",
                                  "\"\"",
                                  "[]",
                                  "{}",
                                  "[[]]",
                                  "\"1\"",
                                  "\"\\u0000\"",
                                  "\"\\ud800\"",
                                  "\"bool\"",
                                  "\"int4\"",
                                  "\"float32x4294967295\""};

inline void PutNumber(std::string* data, size_t at, uint64_t number, size_t width) {
  for (size_t i = 0; i < width && at + i < data->size(); ++i, number >>= 8) {
    (*data)[at + i] = static_cast<char>(number);
  }
}

// One change; `other` is an input of the same kind.
inline void MutateOnce(Random& random, std::string* data, std::string_view other) {
  const auto below = [&](size_t end) { return static_cast<size_t>(random() % (end + (end == 0))); };
  const size_t at = below(data->size());
  constexpr size_t kWidths[] = {1, 2, 4, 8};
  const size_t width = kWidths[below(4)];
  switch (data->empty() ? 9 : below(10)) {
    case 0:
      (*data)[at] ^= static_cast<char>(1 << below(8));
      break;
    case 1:
      (*data)[at] = static_cast<char>(random());
      break;
    case 2:
      PutNumber(data, at, kNumbers[below(std::size(kNumbers))], width);
      break;
    case 3: {  // a length that is a little wrong
      uint64_t number = 0;
      std::memcpy(&number, data->data() + at, std::min(width, data->size() - at));
      PutNumber(data, at, number + below(17) - 8, width);
      break;
    }
    case 4:
      data->resize(at);
      break;
    case 5:
      data->erase(at, 1 + below(16));
      break;
    case 6: {  // some part once more
      const std::string part = data->substr(below(data->size()), 1 + below(64));
      data->insert(at, part);
      break;
    }
    case 7: {  // another number, for formats made of text
      const size_t begin = data->find_first_of("0123456789", at);
      if (begin == std::string::npos) break;
      const size_t end = data->find_first_not_of("0123456789", begin);
      data->replace(begin, (end == std::string::npos ? data->size() : end) - begin,
                    kTexts[below(std::size(kTexts))]);
      break;
    }
    case 8: {  // two pieces change places
      const size_t length = 1 + below(std::min<size_t>(32, data->size() - at));
      const size_t to = below(data->size() - length + 1);
      for (size_t i = 0; i < length; ++i) std::swap((*data)[at + i], (*data)[to + i]);
      break;
    }
    default: {  // the beginning of one, the rest of the other
      const size_t from = other.empty() ? 0 : below(other.size());
      data->resize(at);
      data->append(other.substr(from));
    }
  }
}

inline void Mutate(Random& random, std::string* data, std::string_view other, size_t max_bytes) {
  // Mostly one change, as several at once rarely get past the first check.
  do {
    MutateOnce(random, data, other);
  } while (random() % 2 == 0);
  if (data->size() > max_bytes) data->resize(max_bytes);
}

}  // namespace fuzz

#endif  // TVMGO_TESTS_FUZZ_MUTATE_H_
