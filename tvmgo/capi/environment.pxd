# SPDX-License-Identifier: Apache-2.0
# What the runtime may ask of the language that called it.


cdef extern from "tvm/ffi/extra/c_env_api.h" nogil:
    int TVMFFIEnvRegisterCAPI(const char* name, void* symbol)
