// SPDX-License-Identifier: Apache-2.0
//
// A shared object of its own: the functions which classic libraries of the `c` target, and those
// built as "system library", import by name. It is opened globally when the first such library is
// loaded, so it exports nothing else; above all nothing that libtvm_runtime exports, which would
// call it instead of itself if it were loaded later. Each function hands over to the services it
// was given.
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

// The C view of ServiceTable in abi.h.
struct ServiceTable {
  int (*func_call)(void*, void*, int32_t*, int, void*, int32_t*);
  void (*set_last_error)(const char*);
  int (*get_func_from_env)(void*, const char*, void**);
  void (*of_runtime[4])(void);  // not exported here
  int (*register_system_lib_symbol)(const char*, void*);
  int (*run_once)(void**, int (*)(void*), void*, int);
};

static struct ServiceTable services;

EXPORT void TVMGoBindClassicServices(const struct ServiceTable* table) { services = *table; }

EXPORT int TVMFuncCall(void* function, void* args, int32_t* codes, int num_args, void* result,
                       int32_t* result_code) {
  return services.func_call(function, args, codes, num_args, result, result_code);
}

EXPORT void TVMAPISetLastError(const char* message) { services.set_last_error(message); }

EXPORT int TVMBackendGetFuncFromEnv(void* context, const char* name, void** function) {
  return services.get_func_from_env(context, name, function);
}

EXPORT int TVMBackendRegisterSystemLibSymbol(const char* name, void* address) {
  return services.register_system_lib_symbol(name, address);
}

EXPORT int TVMBackendRunOnce(void** handle, int (*body)(void*), void* data, int nbytes) {
  return services.run_once(handle, body, data, nbytes);
}
