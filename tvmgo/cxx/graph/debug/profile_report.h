// SPDX-License-Identifier: Apache-2.0
//
// What `profile` answers: the members of TVM's report in JSON, where every figure names its unit,
// as in {"Duration (us)": {"microseconds": 1.5}}.
#ifndef TVMGO_CXX_GRAPH_DEBUG_PROFILE_REPORT_H_
#define TVMGO_CXX_GRAPH_DEBUG_PROFILE_REPORT_H_

#include <string>
#include <vector>

#include "formats/graph_json.h"

namespace tvmgo {

class ProfileReport {
 public:
  // Adds one call of an operator; the node is borrowed. `shapes` lists its arguments.
  void Add(const Node& node, DLDevice device, double seconds, std::string shapes);

  // {"calls": [row, ...], "device_metrics": {device: row}, "configuration": {...}}
  Value ToMap() const;

 private:
  struct Call {
    const Node* node;
    std::string device;
    double seconds;
    std::string shapes;
  };

  Value Row(const Call& call) const;
  Value DeviceMetrics() const;
  double Percent(double seconds) const { return total_ > 0 ? 100 * seconds / total_ : 0; }

  std::vector<Call> calls_;
  double total_ = 0;  // seconds
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_DEBUG_PROFILE_REPORT_H_
