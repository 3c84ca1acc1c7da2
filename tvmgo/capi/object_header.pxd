# SPDX-License-Identifier: Apache-2.0
# capi/object_header.h, and of the runtime's header what goes with it: declarations only.
cdef extern from "capi/object_header.h" nogil:
    enum:
        kTVMFFIObjectDeleterFlagBitMaskStrong
        kTVMFFIObjectDeleterFlagBitMaskWeak
