// SPDX-License-Identifier: Apache-2.0
#include "graph/module/executor_factory.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ffi/bound_method.h"
#include "ffi/containers.h"
#include "graph/module/executor_module.h"
#include "graph/module/executor_variants.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

Ref LibraryOf(TVMFFIObjectHandle factory) {
  std::vector<Ref> imports = ImportsOf(factory);
  return imports.empty() ? Ref() : std::move(imports.front());
}

class ExecutorFactory final : public ModuleImpl {
 public:
  ExecutorFactory(std::string graph_json, std::vector<FactoryParam> params, std::string model_name)
      : graph_json_(std::move(graph_json)),
        params_(std::move(params)),
        model_name_(std::move(model_name)) {}

  const char* kind() const final { return "GraphExecutorFactory"; }
  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final;

  struct Method {
    const char* name;
    int32_t min_args, max_args;
    Value (ExecutorFactory::*call)(const CallArgs& args, TVMFFIObjectHandle self) const;
  };
  Value Invoke(const Method& method, const CallArgs& args, TVMFFIObjectHandle self) const {
    return (this->*method.call)(args, self);
  }

 private:
  static const Method kMethods[];
  static const Method kCreate;  // under the name of the model

  Value Create(const CallArgs& args, TVMFFIObjectHandle self) const;
  Value DebugCreate(const CallArgs& args, TVMFFIObjectHandle self) const;
  Value CudaGraphCreate(const CallArgs& args, TVMFFIObjectHandle self) const;
  Value GetGraphJSON(const CallArgs& args, TVMFFIObjectHandle self) const;
  Value GetGraphParams(const CallArgs& args, TVMFFIObjectHandle self) const;
  Value RemoveParams(const CallArgs& args, TVMFFIObjectHandle self) const;

  Value CreateOn(const Variant& variant, std::vector<DLDevice> devices,
                 TVMFFIObjectHandle self) const;

  std::string graph_json_;
  std::vector<FactoryParam> params_;  // the largest first: a lack of memory shows early
  std::string model_name_;
};

const ExecutorFactory::Method ExecutorFactory::kMethods[] = {
    {"debug_create", 2, kAnyNumber, &ExecutorFactory::DebugCreate},
    {"cuda_graph_create", 1, kAnyNumber, &ExecutorFactory::CudaGraphCreate},
    {"get_graph_json", 0, 0, &ExecutorFactory::GetGraphJSON},
    {"get_graph_params", 0, 0, &ExecutorFactory::GetGraphParams},
    {"remove_params", 0, 0, &ExecutorFactory::RemoveParams},
};
const ExecutorFactory::Method ExecutorFactory::kCreate = {"create", 1, kAnyNumber,
                                                          &ExecutorFactory::Create};

Ref ExecutorFactory::GetFunction(const std::string& name, TVMFFIObjectHandle self) {
  return BindMethod(this, name == model_name_ ? &kCreate : FindIn(kMethods, name), self);
}

Value ExecutorFactory::CreateOn(const Variant& variant, std::vector<DLDevice> devices,
                                TVMFFIObjectHandle self) const {
  std::unique_ptr<GraphState> state =
      variant.make(GraphSetup{ParseGraph(graph_json_), LibraryOf(self), std::move(devices), Ref()});
  for (const FactoryParam& param : params_) state->SetParam(param.name, TensorOf(param.tensor));
  return NewExecutorModule(std::move(state), variant.find);
}

Value ExecutorFactory::Create(const CallArgs& args, TVMFFIObjectHandle self) const {
  return CreateOn(kPlainVariant, args.DeviceObjects(0), self);
}

Value ExecutorFactory::DebugCreate(const CallArgs& args, TVMFFIObjectHandle self) const {
  const std::string_view name = args.Text(0, "model name");
  if (name != model_name_) {
    TVM_FFI_THROW(ValueError) << "debug_create: argument 0 (model name): expected \"" << model_name_
                              << "\", got \"" << name << '"';
  }
  return CreateOn(kDebugVariant, args.DeviceObjects(1), self);
}

Value ExecutorFactory::CudaGraphCreate(const CallArgs& args, TVMFFIObjectHandle) const {
  args.DeviceObjects(0);
  RefuseCudaGraph();
}

Value ExecutorFactory::GetGraphJSON(const CallArgs&, TVMFFIObjectHandle) const {
  return Value(std::string_view(graph_json_));
}

Value ExecutorFactory::GetGraphParams(const CallArgs&, TVMFFIObjectHandle) const {
  std::vector<Value> members;
  for (const FactoryParam& param : params_) {
    members.emplace_back(std::string_view(param.name));
    members.emplace_back(param.tensor);
  }
  return NewMap(members);
}

Value ExecutorFactory::RemoveParams(const CallArgs&, TVMFFIObjectHandle self) const {
  Ref bare = NewExecutorFactory(graph_json_, {}, model_name_);
  if (const Ref library = LibraryOf(self)) ImportModule(bare, library);
  return Value(std::move(bare));
}

}  // namespace

Ref NewExecutorFactory(std::string graph_json, std::vector<FactoryParam> params,
                       std::string model_name) {
  std::stable_sort(params.begin(), params.end(), [](const FactoryParam& a, const FactoryParam& b) {
    return TensorBytes(TensorOf(a.tensor)) > TensorBytes(TensorOf(b.tensor));
  });
  return NewModule(std::make_unique<ExecutorFactory>(std::move(graph_json), std::move(params),
                                                     std::move(model_name)));
}

}  // namespace tvmgo
