// SPDX-License-Identifier: Apache-2.0
//
// A shared library that has nothing to do with TVM.
int plain(void) { return 1; }
