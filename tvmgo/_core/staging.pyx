# SPDX-License-Identifier: Apache-2.0
"""Arrays that compiled functions could not work on where they are.

Compiled kernels move data with aligned vector instructions and do not check the address: one
NumPy array off a 64-byte boundary, which most small ones are, ends the process. They expect the
elements one after the other, too. Arrays that lie differently are copied to memory that fits for
the call, and what the kernel changed is copied back.
"""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcmp

from tvmgo._core.array_copy cimport copy_borrowed_tensor, write_back
from tvmgo._core.dtype cimport same_dtype
from tvmgo._core.handle cimport drop
from tvmgo._core.native_call cimport Entry, call_native
from tvmgo._core.tensor cimport data_of, is_kernel_ready, nbytes_of, tensor_of
from tvmgo.capi cimport ffi
from tvmgo.capi.dlpack cimport DLTensor
from tvmgo.capi.ffi cimport TVMFFIAny

cdef enum:
    FEW_ARGUMENTS = 8           # that many need no memory from the heap


cdef struct Staged:
    DLTensor* original          # of an argument that is not passed as it is, borrowed; or NULL
    void* copy                  # what is passed instead; owned by the first argument that has it
    void* before                # what the copy held before the call; owned likewise
    bint shares                 # an earlier argument has the same memory, and owns the copy


cdef int call_staged(const Entry* entry, TVMFFIAny* cells, int32_t count,
                     TVMFFIAny* result) except -1:
    cdef Staged few[FEW_ARGUMENTS]
    cdef Staged* staged = few
    cdef Py_ssize_t i, ready = 0
    if count > FEW_ARGUMENTS:
        staged = <Staged*>PyMem_Malloc(count * sizeof(Staged))
        if staged == NULL:
            raise MemoryError()
    try:
        for i in range(count):
            stage(staged, cells, i)
            ready += 1
        call_native(entry, cells, count, result)
        # A copy that was only read must not undo what others wrote to the original meanwhile.
        for i in range(count):
            if staged[i].original != NULL and not staged[i].shares \
                    and differ(staged[i].before, staged[i].copy):
                write_back(staged[i].copy, staged[i].original)
    finally:
        for i in range(ready):
            if staged[i].original != NULL and not staged[i].shares:
                drop(staged[i].copy)
                drop(staged[i].before)
        if staged != few:
            PyMem_Free(staged)
    return 0


cdef int stage(Staged* staged, TVMFFIAny* cells, Py_ssize_t index) except -1:
    """Replace one argument by a copy that fits, unless it fits itself."""
    cdef DLTensor* tensor
    cdef Py_ssize_t i
    staged[index].original = NULL
    staged[index].shares = False
    if cells[index].type_index != ffi.kTVMFFITensor:
        return 0
    tensor = tensor_of(cells[index].v_ptr)
    if is_kernel_ready(tensor):
        return 0
    for i in range(index):
        # One copy for one piece of memory: a kernel given x as input and output must go on seeing
        # one array.
        if staged[i].original != NULL and is_same_view(staged[i].original, tensor):
            staged[index].shares = True
            staged[index].copy = staged[i].copy
            break
    else:
        staged[index].copy = copy_borrowed_tensor(tensor)
        try:
            staged[index].before = copy_borrowed_tensor(tensor_of(staged[index].copy))
        except BaseException:
            drop(staged[index].copy)
            raise
    staged[index].original = tensor
    cells[index].v_ptr = staged[index].copy
    return 0


cdef bint is_same_view(DLTensor* a, DLTensor* b) noexcept:
    cdef int i
    if data_of(a) != data_of(b) or a.ndim != b.ndim or not same_dtype(a.dtype, b.dtype):
        return False
    for i in range(a.ndim):
        if a.shape[i] != b.shape[i] or stride_of(a, i) != stride_of(b, i):
            return False
    return True


cdef inline int64_t stride_of(DLTensor* tensor, int dimension) noexcept:
    # Tensors of the runtime always carry strides; other producers may leave them out.
    return tensor.strides[dimension] if tensor.strides != NULL else -1


cdef bint differ(void* before, void* after) noexcept:
    cdef DLTensor* tensor = tensor_of(before)
    return memcmp(data_of(tensor), data_of(tensor_of(after)), nbytes_of(tensor)) != 0
