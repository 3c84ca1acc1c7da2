// SPDX-License-Identifier: Apache-2.0
#include "ffi/near_names.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <utility>

namespace tvmgo {
namespace {

constexpr size_t kLongest = 80;  // names beyond are shortened, and near to nothing
constexpr size_t kMostNear = 3;
constexpr size_t kMostShown = 10;

// The letters to insert, to remove or to replace until one name is the other, whatever their case.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
      const size_t replaced = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

// How far a name is from the one asked for; `kFar` and more is not near.
constexpr size_t kFar = 1000;
size_t Farness(std::string_view asked, std::string_view name) {
  if (asked.empty() || asked.size() > kLongest || name.size() > kLongest) return kFar;
  const size_t shorter = std::min(asked.size(), name.size());
  if (shorter >= 2 && name.substr(0, shorter) == asked.substr(0, shorter))
    return 0;  // "input", "input_1:0"
  const size_t distance = Distance(asked, name);
  return distance * 3 <= std::max(asked.size(), name.size()) + 1 ? distance : kFar;
}

void AppendNames(std::string* text, const std::vector<std::string_view>& names, size_t most,
                 const char* last) {
  const size_t shown = std::min(names.size(), most);
  for (size_t i = 0; i < shown; ++i) {
    const bool is_last = i > 0 && i + 1 == names.size();
    text->append(i == 0 ? "" : is_last ? last : ", ").append("'");
    text->append(names[i].substr(0, kLongest)).append(names[i].size() > kLongest ? "...'" : "'");
  }
  if (shown < names.size()) {
    text->append(" and " + std::to_string(names.size() - shown) + " more");
  }
}

}  // namespace

std::string NamesThereAre(std::string_view asked, const std::vector<std::string_view>& names) {
  std::vector<std::pair<size_t, size_t>> order;  // how far, and which
  for (size_t i = 0; i < names.size(); ++i) {
    const size_t far = Farness(asked, names[i]);
    if (far < kFar) order.emplace_back(far, i);
  }
  std::sort(order.begin(), order.end());
  if (order.size() > kMostNear) order.resize(kMostNear);
  std::vector<std::string_view> near;
  for (const auto& [far, i] : order) near.push_back(names[i]);

  std::string text;
  if (!near.empty()) {
    text = "; did you mean ";
    AppendNames(&text, near, kMostNear, " or ");
    text += "? There ";
  } else {
    text = "; there ";
  }
  if (names.empty()) return text + "are none";
  text += names.size() == 1 ? "is " : "are ";
  AppendNames(&text, names, kMostShown, " and ");
  return text;
}

}  // namespace tvmgo
