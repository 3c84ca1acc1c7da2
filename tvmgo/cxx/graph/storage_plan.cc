// SPDX-License-Identifier: Apache-2.0
//
// Storage ids are names, not positions: gaps cost nothing, and a huge id is as
// good as a small one.
#include "graph/storage_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tensor/tensor_size.h"

namespace tvmgo {
namespace {

size_t EntryBytes(const Entry& entry, size_t id) {
  size_t nbytes;
  if (!CompactTensorBytes(entry.shape.data(), static_cast<int32_t>(entry.shape.size()), entry.dtype,
                          &nbytes)) {
    TVM_FFI_THROW(ValueError) << "graph JSON: attrs.shape[1][" << id << "]: a tensor of "
                              << entry.dtype_name << " with this shape does not fit in memory";
  }
  return nbytes;
}

DLDevice FindDevice(const std::vector<DLDevice>& devices, int32_t type) {
  for (DLDevice device : devices) {
    if (device.device_type == type) return device;
  }
  return devices[0];
}

void FindInputPools(const Graph& graph, StoragePlan* plan) {
  std::vector<uint32_t> num_inputs(plan->pools.size());
  std::vector<bool> written(plan->pools.size());
  for (const Node& node : graph.nodes) {
    for (uint32_t i = 0; i < node.num_outputs; ++i) {
      const uint32_t pool = plan->pool_of_entry[node.first_output + i];
      if (!node.is_op) {
        ++num_inputs[pool];
      } else if (node.func_name != "__nop") {
        written[pool] = true;
      }
    }
  }
  for (size_t i = 0; i < plan->pools.size(); ++i) {
    plan->pools[i].is_one_input = num_inputs[i] == 1 && !written[i];
  }
}

size_t RoundUp(size_t nbytes) {
  return nbytes > SIZE_MAX - kPlaceBytes ? SIZE_MAX
                                         : (nbytes + kPlaceBytes - 1) / kPlaceBytes * kPlaceBytes;
}

// The sum of two sizes, or the largest size.
size_t AddSizes(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

// Lays the block out of the pools that have a place.
void PlanBlock(StoragePlan* plan) {
  size_t apart = 0;
  for (Pool& pool : plan->pools) {
    if (!pool.place) continue;
    if (plan->block_bytes == 0) plan->block_device = pool.device;
    const bool fits =
        pool.device.device_type == kDLCPU && pool.device.device_id == plan->block_device.device_id;
    if (!fits) {
      pool.place.reset();
      continue;
    }
    const size_t nbytes = std::max<size_t>(pool.nbytes, 1);
    plan->block_bytes = std::max(plan->block_bytes, AddSizes(*pool.place, RoundUp(nbytes)));
    apart = AddSizes(apart, RoundUp(nbytes));
  }
  if (plan->block_bytes > apart) {
    TVM_FFI_THROW(ValueError) << "graph JSON: attrs.tvmgo_place: expected places in at most "
                              << apart << " bytes, as much as all of these values have, got "
                              << plan->block_bytes;
  }
}

}  // namespace

StoragePlan PlanStorage(const Graph& graph, const std::vector<DLDevice>& devices) {
  StoragePlan plan;
  std::vector<int32_t> declared_types;                         // per pool, as in the file
  std::map<std::pair<int64_t, int64_t>, uint32_t> pool_of_id;  // and place
  for (size_t i = 0; i < graph.entries.size(); ++i) {
    const Entry& entry = graph.entries[i];
    const size_t nbytes = EntryBytes(entry, i);
    const int32_t type = entry.device_type.value_or(devices[0].device_type);
    const auto next = static_cast<uint32_t>(plan.pools.size());
    uint32_t index = next;
    if (entry.storage_id >= 0) {
      index = pool_of_id.emplace(std::pair(entry.storage_id, entry.place), next).first->second;
    }
    if (index == next) {
      Pool pool{nbytes, FindDevice(devices, type)};
      if (entry.place >= 0) pool.place = static_cast<size_t>(entry.place) * kPlaceBytes;
      plan.pools.push_back(pool);
      declared_types.push_back(type);
    } else if (declared_types[index] != type) {
      TVM_FFI_THROW(ValueError) << "graph JSON: attrs.device_index[1][" << i << "]: storage id "
                                << entry.storage_id << " was of device type "
                                << declared_types[index] << ", got " << type
                                << ". The same pool entry cannot be assigned to multiple devices";
    }
    plan.pools[index].nbytes = std::max(plan.pools[index].nbytes, nbytes);
    plan.pool_of_entry.push_back(index);
  }
  FindInputPools(graph, &plan);
  PlanBlock(&plan);
  return plan;
}

}  // namespace tvmgo
