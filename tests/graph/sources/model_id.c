// SPDX-License-Identifier: Apache-2.0
// A library that says which export it is of: MODEL_ID, or None without one.
#include <tvm/ffi/c_api.h>

int __tvm_ffi_tvmgo_model_id(void* self, const TVMFFIAny* args, int32_t num_args,
                             TVMFFIAny* result) {
  (void)self, (void)args, (void)num_args;
  TVMFFIAny id = {0};
#ifdef MODEL_ID
  id.type_index = kTVMFFIInt;
  id.v_int64 = MODEL_ID;
#endif
  *result = id;
  return 0;
}
