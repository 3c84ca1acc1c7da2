// SPDX-License-Identifier: Apache-2.0
//
// A library of today with modules embedded in it: BLOB names a file of C numbers.

const unsigned char __tvm_ffi__library_bin[] = {
#include BLOB
};

int __tvm_ffi_f(void* self, void* args, int count, void* result) { return 0; }
