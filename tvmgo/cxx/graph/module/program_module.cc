// SPDX-License-Identifier: Apache-2.0
#include "graph/module/program_module.h"

#include <mutex>
#include <utility>

#include "capi/kernel_rules.h"
#include "ffi/bound_method.h"
#include "graph/graph_state.h"
#include "graph/module/executor_methods.h"
#include "graph/module/executor_module.h"
#include "graph/zero_copy_check.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

class ProgramModule final : public ModuleImpl {
 public:
  explicit ProgramModule(std::shared_ptr<const GraphProgram> program)
      : program_(std::move(program)), params_(program_->num_inputs()) {}

  const char* kind() const final { return "GraphProgram"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final;

  struct Method {
    const char* name;
    int32_t min_args, max_args;
    Value (ProgramModule::*call)(const CallArgs& args);
  };
  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle) {
    return (this->*method.call)(args);
  }

 private:
  static const Method kMethods[];

  Value CreateState(const CallArgs& args);
  Value LoadParams(const CallArgs& args);

  std::shared_ptr<const GraphProgram> program_;
  std::mutex mutex_;  // nothing foreign runs under it
  ParamSet params_;   // guarded by mutex_
};

const ProgramModule::Method ProgramModule::kMethods[] = {
    {"create_state", 0, 0, &ProgramModule::CreateState},
    {"load_params", 1, 1, &ProgramModule::LoadParams},
};

Ref ProgramModule::GetFunction(const std::string& name, TVMFFIObjectHandle self) {
  return BindMethod(this, FindIn(kMethods, name), self);
}

// The memory of a tensor of bytes.
std::string_view BytesOf(const Ref& tensor) {
  const DLTensor& bytes = TensorOf(tensor);
  if (!TVMGoIsHost(bytes.device) || !TVMGoIsCompact(&bytes)) {
    TVM_FFI_THROW(ValueError) << "load_params: argument 0 (params): expected a contiguous tensor "
                              << "in the host's memory, got " << DescribeTensor(bytes);
  }
  return {TensorData(bytes), TensorBytes(bytes)};
}

Value ProgramModule::CreateState(const CallArgs&) {
  ParamSet params;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    params = params_;
  }
  return NewExecutorModule(std::make_unique<GraphState>(program_, params), FindMethod);
}

// A parameter that kernels read where it lies in `owner`.
Ref InPlace(const DLTensor& value, const Ref& owner) {
  const Ref memory = BorrowMemory(TensorData(value), TensorBytes(value), value.device, owner);
  return ViewTensor(memory, Shape(value.shape, value.shape + value.ndim), value.dtype);
}

Value ProgramModule::LoadParams(const CallArgs& args) {
  // Bytes are the caller's, a tensor can be kept.
  const bool is_tensor = args[0].type_index == kTVMFFITensor;
  const Ref owner = is_tensor ? args.TensorObject(0, "params") : Ref();
  const std::vector<GraphProgram::ParamValue> values =
      program_->ReadParams(owner ? BytesOf(owner) : args.Text(0, "params"));
  const auto device_of = [this](uint32_t input) {
    return program_->Prototype(program_->input_entry(input)).device;
  };
  size_t bytes = 0, bytes_that_fit = 0;
  for (const auto& [input, value] : values) {
    bytes += TensorBytes(value);
    if (IsUsableByKernels(device_of(input), value)) bytes_that_fit += TensorBytes(value);
  }
  // A few that are aligned by chance are not worth keeping all the rest for.
  const bool keeps = owner && bytes_that_fit > bytes / 2;
  ParamSet loaded(program_->num_inputs());
  for (const auto& [input, value] : values) {
    const DLDevice device = device_of(input);
    const bool in_place = keeps && IsUsableByKernels(device, value);
    loaded[input] = in_place ? InPlace(value, owner) : CopyToDevice(value, device);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i]) std::swap(params_[i], loaded[i]);  // the old ones go after the lock
  }
  return Value();
}

}  // namespace

Value NewProgramModule(std::shared_ptr<const GraphProgram> program) {
  return Value(NewModule(std::make_unique<ProgramModule>(std::move(program))));
}

}  // namespace tvmgo
