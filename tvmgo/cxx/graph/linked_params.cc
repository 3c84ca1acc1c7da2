// SPDX-License-Identifier: Apache-2.0
#include "graph/linked_params.h"

#include <string>
#include <utility>

#include "ffi/call_args.h"
#include "ffi/module_object.h"
#include "graph/zero_copy_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

constexpr char kLookup[] = "_lookup_linked_param";

[[noreturn]] void FailResult(const std::string& function, int64_t storage_id, const char* expected,
                             const Value& got) {
  TVM_FFI_THROW(TypeError) << function << ": storage id " << storage_id << ": expected " << expected
                           << ", got " << TypeName(got.view());
  TVM_FFI_UNREACHABLE();
}

// The library's own function. How much lies behind an address it does not say; the graph and the
// library were written together.
class LibraryLookup {
 public:
  explicit LibraryLookup(Ref library) : library_(std::move(library)) {
    if (library_) function_ = FunctionOf(library_, kLookup, /*query_imports=*/true);
  }

  Ref Find(int64_t storage_id, const Pool& pool, DLDevice device) const {
    if (!function_) return Ref();
    const Value found = Call(function_, AnyInt(storage_id));
    if (found.is_none()) return Ref();
    if (found.view().type_index != kTVMFFIOpaquePtr) {
      FailResult(kLookup, storage_id, "an address or None", found);
    }
    void* address = found.view().v_ptr;
    return address == nullptr ? Ref() : BorrowMemory(address, pool.nbytes, device, library_);
  }

 private:
  Ref library_;
  Ref function_;
};

// A tensor that shows an entry's shape and element type without costing its memory: all elements
// are the same one. (The classic executor passed one without any memory, which no language but C
// can look at safely.)
Ref Template(const Entry& entry) {
  const Ref element =
      ViewTensor(NewMemory((entry.dtype.bits * entry.dtype.lanes + 7) / 8, DLDevice{kDLCPU, 0}), {},
                 entry.dtype);
  DLTensor prototype = TensorOf(element);
  Shape strides(entry.shape.size() + 1, 0);
  prototype.ndim = static_cast<int32_t>(entry.shape.size());
  prototype.shape = const_cast<int64_t*>(entry.shape.data());
  prototype.strides = strides.data();
  TVMFFIObjectHandle view = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFITensorCreateUnsafeView(element.get(), &prototype, &view));
  return Ref::Steal(view);
}

// The caller's function.
Ref FindByCaller(const Ref& lookup, const Ref& library, const Entry& entry, const Pool& pool,
                 DLDevice device) {
  const Ref shown = Template(entry);
  Value found = Call(lookup, AnyObject(library.get()), AnyInt(entry.storage_id),
                     AnyObject(shown.get()), AnyDevice(device));
  if (found.is_none()) return Ref();
  if (found.view().type_index != kTVMFFITensor) {
    FailResult("lookup_fn", entry.storage_id, "a tensor or None", found);
  }
  Ref tensor = found.TakeObject();
  const std::string name = std::to_string(entry.storage_id);
  const ErrorContext what{"lookup_fn: storage id", name};
  RequireUsableByKernels(what, pool.device, TensorOf(tensor));
  if (TensorBytes(TensorOf(tensor)) < pool.nbytes) {
    TVM_FFI_THROW(ValueError) << what << ": expected at least " << pool.nbytes << " bytes, got "
                              << TensorBytes(TensorOf(tensor)) << " bytes ("
                              << DescribeTensor(TensorOf(tensor)) << ")";
  }
  return tensor;
}

}  // namespace

std::vector<Ref> FindLinkedParams(const Graph& graph, const StoragePlan& plan, const Ref& library,
                                  const Ref& lookup, DLDevice device) {
  std::vector<Ref> linked(plan.pools.size());
  const LibraryLookup by_library(lookup ? Ref() : library);
  for (size_t i = 0; i < graph.entries.size(); ++i) {
    const Entry& entry = graph.entries[i];
    if (entry.storage_id < 0) continue;  // memory of its own, which no id names
    const uint32_t index = plan.pool_of_entry[i];
    const Pool& pool = plan.pools[index];
    Ref found = lookup ? FindByCaller(lookup, library, entry, pool, device)
                       : by_library.Find(entry.storage_id, pool, device);
    if (found) linked[index] = std::move(found);
  }
  return linked;
}

}  // namespace tvmgo
