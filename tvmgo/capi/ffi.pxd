# SPDX-License-Identifier: Apache-2.0
# tvm/ffi/c_api.h: declarations only, C's spelling. Every function below is short (it
# allocates or looks up at most) except TVMFFIFunctionCall and TVMFFIObjectDecRef, which
# can run foreign code and call back; see native_call.pxd and handle.pxd for their GIL policy.
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from tvmgo.capi.dlpack cimport (
    DLDataType, DLDevice, DLManagedTensor, DLManagedTensorVersioned, DLTensor,
)

cdef extern from "tvm/ffi/c_api.h" nogil:
    ctypedef void* TVMFFIObjectHandle

    ctypedef struct TVMFFIVersion:
        uint32_t major
        uint32_t minor
        uint32_t patch

    ctypedef enum TVMFFITypeIndex:
        kTVMFFINone
        kTVMFFIInt
        kTVMFFIBool
        kTVMFFIFloat
        kTVMFFIOpaquePtr
        kTVMFFIDataType
        kTVMFFIDevice
        kTVMFFIDLTensorPtr
        kTVMFFIRawStr
        kTVMFFIByteArrayPtr
        kTVMFFIObjectRValueRef
        kTVMFFISmallStr
        kTVMFFISmallBytes
        kTVMFFIStaticObjectBegin
        kTVMFFIObject
        kTVMFFIStr
        kTVMFFIBytes
        kTVMFFIError
        kTVMFFIFunction
        kTVMFFIShape
        kTVMFFITensor
        kTVMFFIArray
        kTVMFFIMap
        kTVMFFIModule
        kTVMFFIOpaquePyObject
        kTVMFFIList
        kTVMFFIDict
        kTVMFFIBigInt
        kTVMFFIDynObjectBegin

    ctypedef struct TVMFFIObject:
        uint64_t combined_ref_count
        int32_t type_index

    ctypedef struct TVMFFIAny:
        int32_t type_index
        uint32_t zero_padding
        uint32_t small_str_len
        int64_t v_int64
        double v_float64
        void* v_ptr
        const char* v_c_str
        TVMFFIObject* v_obj
        DLDataType v_dtype
        DLDevice v_device
        char v_bytes[8]
        uint64_t v_uint64

    ctypedef struct TVMFFIByteArray:
        const char* data
        size_t size

    ctypedef struct TVMFFIShapeCell:
        const int64_t* data
        size_t size

    ctypedef struct TVMFFISeqCell:
        void* data
        int64_t size

    ctypedef struct TVMFFIErrorCell:
        TVMFFIByteArray kind
        TVMFFIByteArray message
        TVMFFIByteArray backtrace
        TVMFFIObjectHandle cause_chain
        TVMFFIObjectHandle extra_context

    ctypedef int (*TVMFFISafeCallType)(void* handle, const TVMFFIAny* args, int32_t num_args,
                                       TVMFFIAny* result) noexcept nogil

    ctypedef struct TVMFFIFunctionCell:
        TVMFFISafeCallType safe_call

    ctypedef struct TVMFFIOpaqueObjectCell:
        void* handle

    ctypedef int (*TVMFFIFieldGetter)(void* field, TVMFFIAny* result) noexcept

    ctypedef struct TVMFFIFieldInfo:
        TVMFFIByteArray name
        int64_t offset
        TVMFFIFieldGetter getter

    ctypedef struct TVMFFITypeInfo:
        int32_t num_fields
        const TVMFFIFieldInfo* fields
        TVMFFIByteArray type_key

    void TVMFFIGetVersion(TVMFFIVersion* out_version)

    int TVMFFIObjectIncRef(TVMFFIObjectHandle obj)
    int TVMFFIObjectDecRef(TVMFFIObjectHandle obj)
    int TVMFFIObjectCreateOpaque(void* handle, int32_t type_index,
                                 void (*deleter)(void* handle) noexcept, TVMFFIObjectHandle* out)

    int TVMFFIFunctionGetGlobal(const TVMFFIByteArray* name, TVMFFIObjectHandle* out)
    int TVMFFIFunctionSetGlobal(const TVMFFIByteArray* name, TVMFFIObjectHandle f,
                                int allow_override)
    int TVMFFIFunctionCall(TVMFFIObjectHandle func, TVMFFIAny* args, int32_t num_args,
                           TVMFFIAny* result)
    int TVMFFIAnyViewToOwnedAny(const TVMFFIAny* any_view, TVMFFIAny* out)

    void TVMFFIErrorMoveFromRaised(TVMFFIObjectHandle* result)
    void TVMFFIErrorSetRaised(TVMFFIObjectHandle error)
    void TVMFFIErrorSetRaisedFromCStr(const char* kind, const char* message)
    int TVMFFIErrorCreateWithCauseAndExtraContext(
        const TVMFFIByteArray* kind, const TVMFFIByteArray* message,
        const TVMFFIByteArray* backtrace, TVMFFIObjectHandle cause_chain,
        TVMFFIObjectHandle extra_context, TVMFFIObjectHandle* out)

    int TVMFFITensorFromDLPack(DLManagedTensor* from_, int32_t require_alignment,
                               int32_t require_contiguous, TVMFFIObjectHandle* out)
    int TVMFFITensorToDLPack(TVMFFIObjectHandle from_, DLManagedTensor** out)
    int TVMFFITensorFromDLPackVersioned(DLManagedTensorVersioned* from_, int32_t require_alignment,
                                        int32_t require_contiguous, TVMFFIObjectHandle* out)
    int TVMFFITensorToDLPackVersioned(TVMFFIObjectHandle from_, DLManagedTensorVersioned** out)

    int TVMFFIStringFromByteArray(const TVMFFIByteArray* input, TVMFFIAny* out)
    int TVMFFIBytesFromByteArray(const TVMFFIByteArray* input, TVMFFIAny* out)
    int TVMFFIBigIntFromByteArray(const TVMFFIByteArray* input, TVMFFIAny* out)
    TVMFFIByteArray TVMFFIBigIntGetContentByteArray(const TVMFFIAny* value)

    int TVMFFIDataTypeFromString(const TVMFFIByteArray* str, DLDataType* out)
    int TVMFFIDataTypeToString(const DLDataType* dtype, TVMFFIAny* out)

    const TVMFFITypeInfo* TVMFFIGetTypeInfo(int32_t type_index)
