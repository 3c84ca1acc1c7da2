// SPDX-License-Identifier: Apache-2.0
#include "classic/loading/const_loader.h"

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ffi/call_args.h"
#include "ffi/containers.h"
#include "ffi/module_object.h"

namespace tvmgo::classic {
namespace {

using Constants = std::unordered_map<std::string, Ref>;

// Gives the map of all constants, which the function owns a share of.
struct GetConstants {
  std::shared_ptr<const Constants> constants;

  static int Call(void* self, const TVMFFIAny*, int32_t, TVMFFIAny* result) {
    return CatchErrors([=] {
      const auto* function = static_cast<const GetConstants*>(self);
      std::vector<Value> members;
      for (const auto& [name, tensor] : *function->constants) {
        members.emplace_back(std::string_view(name));
        members.emplace_back(tensor);
      }
      NewMap(members).MoveTo(result);
    });
  }
};

class ConstLoader final : public ModuleImpl {
 public:
  explicit ConstLoader(const ConstantsPayload& payload) {
    auto constants = std::make_shared<Constants>();
    for (const NamedTensor& constant : payload.constants) {
      constants->emplace(std::string(constant.name), NewTensor(constant.tensor));
    }
    constants_ = std::move(constants);
    for (const auto& [symbol, names] : payload.symbols) {
      pending_[std::string(symbol)].constants.assign(names.begin(), names.end());
    }
  }

  const char* kind() const final { return "const_loader"; }

  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final {
    if (name == "get_const_var_ndarray") {
      return NewFunction(std::make_unique<GetConstants>(GetConstants{constants_}),
                         GetConstants::Call);
    }
    const std::vector<Ref> imports = ImportsOf(self);
    Initialise(name, imports);
    return FirstOf(imports, name);
  }

 private:
  // A symbol which has not got its constants yet.
  struct PendingSymbol {
    std::vector<std::string> constants;
    bool in_progress = false;
  };

  // Also ends with an error, which leaves the symbol to the next who asks.
  class InProgress {
   public:
    explicit InProgress(PendingSymbol* symbol) : symbol_(symbol) { symbol_->in_progress = true; }
    ~InProgress() { symbol_->in_progress = false; }

   private:
    PendingSymbol* symbol_;
  };

  static Ref FirstOf(const std::vector<Ref>& imports, const std::string& name) {
    for (const Ref& import : imports) {
      if (Ref function = FunctionOf(import, name, /*query_imports=*/false)) return function;
    }
    return Ref();
  }

  // Once for each symbol, however many threads ask; a failure leaves it to the next.
  void Initialise(const std::string& symbol, const std::vector<Ref>& imports) {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    const auto pending = pending_.find(symbol);
    if (pending == pending_.end()) return;
    if (pending->second.in_progress) {
      TVM_FFI_THROW(RuntimeError) << "__init_" << symbol << " looks up " << symbol
                                  << ", which it is to make ready";
    }
    {
      const InProgress mark(&pending->second);
      HandOver(symbol, pending->second.constants, imports);
    }
    pending_.erase(pending);
  }

  void HandOver(const std::string& symbol, const std::vector<std::string>& constants,
                const std::vector<Ref>& imports) const {
    const Ref initialise = FirstOf(imports, "__init_" + symbol);
    if (!initialise) return;  // of a code generator that has no use for constants
    std::vector<Value> wanted;
    for (const std::string& name : constants) wanted.emplace_back(constants_->at(name));
    const Value answer = Call(initialise, NewArray(wanted).view());
    if (answer.is_none()) return;
    if (answer.view().type_index != kTVMFFIInt) {
      TVM_FFI_THROW(TypeError) << "__init_" << symbol << ": expected a code or None, got "
                               << TypeName(answer.view());
    }
    if (answer.view().v_int64 != 0) {
      TVM_FFI_THROW(RuntimeError) << "__init_" << symbol << " failed with code "
                                  << answer.view().v_int64;
    }
  }

  std::shared_ptr<const Constants> constants_;
  std::recursive_mutex mutex_;  // an initialiser may look its neighbours up
  std::unordered_map<std::string, PendingSymbol> pending_;
};

class EmptyModule final : public ModuleImpl {
 public:
  explicit EmptyModule(const char* kind) : kind_(kind) {}

  const char* kind() const final { return kind_; }
  Ref GetFunction(const std::string&, TVMFFIObjectHandle) final { return Ref(); }

 private:
  const char* kind_;
};

}  // namespace

Ref NewConstLoader(const ConstantsPayload& payload) {
  return NewModule(std::make_unique<ConstLoader>(payload));
}

Ref NewEmptyModule(const char* kind) { return NewModule(std::make_unique<EmptyModule>(kind)); }

}  // namespace tvmgo::classic
