// SPDX-License-Identifier: Apache-2.0
#include "ffi/one_thread.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "ffi/forks.h"
#include "ffi/module_object.h"

namespace tvmgo {
namespace {

// Its address is the thread's number.
thread_local char this_thread = 0;

struct Occupant {
  std::atomic<const char*> thread{nullptr};
};

// By module. An entry without functions is left behind until another module is asked for.
struct Known {
  Known() { ForksAwait(&mutex); }

  std::mutex mutex;
  std::map<TVMFFIObjectHandle, std::weak_ptr<Occupant>> occupants;
};

Known& known = *new Known;

std::shared_ptr<Occupant> OccupantOf(TVMFFIObjectHandle module) {
  const std::lock_guard<std::mutex> lock(known.mutex);
  auto& occupants = known.occupants;
  std::shared_ptr<Occupant> occupant = occupants[module].lock();
  if (!occupant) {
    for (auto each = occupants.begin(); each != occupants.end();) {
      each = each->second.expired() ? occupants.erase(each) : std::next(each);
    }
    occupant = std::make_shared<Occupant>();
    occupants[module] = occupant;
  }
  return occupant;
}

struct Guarded {
  Ref module;  // so that no other comes to lie where it is
  Ref function;
  std::string name;
  std::shared_ptr<Occupant> occupant;
};

class Stay {
 public:
  explicit Stay(const Guarded& guarded) : occupant_(*guarded.occupant) {
    const char* nobody = nullptr;
    first_ = occupant_.thread.compare_exchange_strong(nobody, &this_thread);
    if (!first_ && nobody != &this_thread) {
      TVM_FFI_THROW(BusyError) << guarded.name << ": the virtual machine is busy with a call of "
                               << "another thread; start a machine for each";
    }
  }
  ~Stay() {
    if (first_) occupant_.thread.store(nullptr);
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

 private:
  Occupant& occupant_;
  bool first_;
};

int Call(void* self, const TVMFFIAny* args, int32_t num_args, TVMFFIAny* result) {
  return CatchErrors([=] {
    const auto& guarded = *static_cast<const Guarded*>(self);
    const Stay stay(guarded);
    CallPacked(guarded.function, args, num_args).MoveTo(result);
  });
}

}  // namespace

Value OneThreadAtATime(const CallArgs& args) {
  args.RequireSize(3, 3);
  Ref module = args.Module(0, "module");
  if (!args.IsFunction(1)) args.Fail(1, "function", "a function");
  std::shared_ptr<Occupant> occupant = OccupantOf(module.get());
  return Value(NewFunction(
      std::make_unique<Guarded>(Guarded{std::move(module), Ref::Share(args[1].v_obj),
                                        std::string(args.Text(2, "name")), std::move(occupant)}),
      Call));
}

}  // namespace tvmgo
