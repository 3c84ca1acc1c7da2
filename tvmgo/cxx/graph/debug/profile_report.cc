// SPDX-License-Identifier: Apache-2.0
#include "graph/debug/profile_report.h"

#include <map>
#include <string_view>
#include <utility>

#include "ffi/containers.h"

namespace tvmgo {
namespace {

std::string DeviceName(DLDevice device) {
  static const std::map<int32_t, const char*> kNames = {
      {kDLCPU, "cpu"},         {kDLCUDA, "cuda"},     {kDLCUDAHost, "cuda_host"},
      {kDLOpenCL, "opencl"},   {kDLVulkan, "vulkan"}, {kDLMetal, "metal"},
      {kDLVPI, "vpi"},         {kDLROCM, "rocm"},     {kDLROCMHost, "rocm_host"},
      {kDLExtDev, "ext_dev"},  {kDLWebGPU, "webgpu"}, {kDLCUDAManaged, "cuda_managed"},
      {kDLHexagon, "hexagon"},
  };
  const auto known = kNames.find(device.device_type);
  const std::string kind =
      known == kNames.end() ? "device" + std::to_string(device.device_type) + ":" : known->second;
  return kind + std::to_string(device.device_id);
}

// Collects the members of a map.
class Members {
 public:
  void Add(std::string_view key, Value value) {
    members_.emplace_back(key);
    members_.push_back(std::move(value));
  }
  // A figure under its unit.
  void Add(std::string_view key, std::string_view unit, Value value) {
    Members figure;
    figure.Add(unit, std::move(value));
    Add(key, figure.ToMap());
  }
  Value ToMap() const { return NewMap(members_); }

 private:
  std::vector<Value> members_;
};

Members NewRow(std::string_view name, std::string_view device, double seconds, int64_t count,
               double percent) {
  Members row;
  row.Add("Name", "string", Value(name));
  row.Add("Device", "string", Value(device));
  row.Add("Duration (us)", "microseconds", Value(1e6 * seconds));
  row.Add("Count", "count", Value(count));
  row.Add("Percent", "percent", Value(percent));
  return row;
}

Value Configuration() {
  Members configuration;
  configuration.Add("Executor", "string", Value(std::string_view("Graph")));
  // Without the runtime there is no thread pool: everything runs on the caller's thread.
  const Ref num_threads = FindGlobal("runtime.NumThreads");
  configuration.Add("Number of threads", "count",
                    num_threads ? tvmgo::Call(num_threads) : Value(int64_t{1}));
  return configuration.ToMap();
}

}  // namespace

void ProfileReport::Add(const Node& node, DLDevice device, double seconds, std::string shapes) {
  calls_.push_back(Call{&node, DeviceName(device), seconds, std::move(shapes)});
  total_ += seconds;
}

Value ProfileReport::ToMap() const {
  std::vector<Value> rows;
  for (const Call& call : calls_) rows.push_back(Row(call));
  Members report;
  report.Add("calls", NewArray(rows));
  report.Add("device_metrics", DeviceMetrics());
  report.Add("configuration", Configuration());
  return report.ToMap();
}

Value ProfileReport::Row(const Call& call) const {
  Members row = NewRow(call.node->func_name, call.device, call.seconds, 1, Percent(call.seconds));
  row.Add("Argument Shapes", "string", Value(std::string_view(call.shapes)));
  for (const auto& [name, text] : call.node->traits) {
    row.Add(name == "hash" ? "Hash" : name, "string", Value(std::string_view(text)));
  }
  return row.ToMap();
}

Value ProfileReport::DeviceMetrics() const {
  struct Sum {
    double seconds = 0;
    int64_t count = 0;
  };
  std::map<std::string_view, Sum> sums;
  for (const Call& call : calls_) {
    Sum& sum = sums[call.device];
    sum.seconds += call.seconds;
    ++sum.count;
  }
  Members devices;
  for (const auto& [device, sum] : sums) {
    devices.Add(device,
                NewRow("Total", device, sum.seconds, sum.count, Percent(sum.seconds)).ToMap());
  }
  return devices.ToMap();
}

}  // namespace tvmgo
