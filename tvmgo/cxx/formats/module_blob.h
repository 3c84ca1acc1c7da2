// SPDX-License-Identifier: Apache-2.0
//
// The modules embedded in a library (`__tvm_dev_mblob`) and how they import each other. Pure
// parsing of untrusted bytes; nothing is loaded here.
#ifndef TVMGO_CXX_FORMATS_MODULE_BLOB_H_
#define TVMGO_CXX_FORMATS_MODULE_BLOB_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/payloads.h"

namespace tvmgo {

// The place of the library itself in the tree.
struct SelfPayload {};
// Nothing to tell (`metadata_module`).
struct EmptyPayload {};
// Today's form of a module that the runtime has a loader for.
struct DevicePayload {
  std::string bytes;
};
struct JSONRuntimePayload {
  std::string_view bytes;
};

using Payload = std::variant<SelfPayload, EmptyPayload, GraphFactoryPayload, ConstantsPayload,
                             DevicePayload, JSONRuntimePayload>;

struct EmbeddedModule {
  std::string_view key;
  Payload payload;
  std::vector<uint32_t> imports;  // positions in the list
};

struct ModuleBlob {
  std::vector<EmbeddedModule> modules;
  // Without a tree, as TVM 0.2-0.6 wrote, all modules are imports of the library. With one, the
  // first module is the root, the library is among them, and no module imports itself by any way.
  bool has_tree = false;
};

// `symbol` begins with the length of the rest, and may be longer. `has_loader` tells whether the
// runtime can load modules of some kind. Throws ValueError for malformed bytes, and RuntimeError
// for modules that cannot work any more.
ModuleBlob ParseModuleBlob(std::string_view symbol,
                           const std::function<bool(std::string_view key)>& has_loader);

// The same of a library of today (`__tvm_ffi__library_bin`), which the runtime reads without a look
// at the tree. Payloads have lengths there, and the tree comes first. Returns the kinds of the
// modules.
std::vector<std::string_view> CheckTodaysModuleBlob(std::string_view symbol);

}  // namespace tvmgo

#endif  // TVMGO_CXX_FORMATS_MODULE_BLOB_H_
