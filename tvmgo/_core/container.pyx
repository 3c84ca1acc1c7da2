# SPDX-License-Identifier: Apache-2.0
"""Lists, tuples, dicts as the runtime's containers (``ffi.Array``, ``Map``, ``Shape``) and back."""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t

from tvmgo._core.handle cimport cell, drop
from tvmgo._core.native_call cimport builtin_function, call_short
from tvmgo._core.owned_any cimport clear, release, set_any, set_object
from tvmgo._core.pack cimport pack_owned, register_container_check, register_converter
from tvmgo._core.unpack cimport register_wrapper, unpack_borrowed, unpack_owned
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.nesting cimport (
    TVMGO_MOST_NESTED, TVMGoEnterContainer, TVMGoLeaveContainer,
)
from tvmgo.exceptions import TVMValueError

# Each keeps one reference for as long as the process lives.
cdef void* new_array = builtin_function(b"ffi.Array")
cdef void* new_map = builtin_function(b"ffi.Map")
cdef void* map_size = builtin_function(b"ffi.MapSize")
cdef void* iterate_map = builtin_function(b"ffi.MapForwardIterFunctor")
cdef void* dict_size = builtin_function(b"ffi.DictSize")
cdef void* iterate_dict = builtin_function(b"ffi.DictForwardIterFunctor")

# What the iterator of a map or dict, a function, is asked for. ADVANCE returns False at the end.
cdef enum:
    KEY = 0
    VALUE = 1
    ADVANCE = 2


# ---------------------------------------------------------------- Python -> runtime

cdef void* build(void* constructor, list items) except NULL:
    """Call a container's constructor with `items` and return the new container, owned."""
    cdef Py_ssize_t i, ready = 0, count = len(items)
    cdef TVMFFIAny result
    cdef TVMFFIAny* values = <TVMFFIAny*>PyMem_Malloc((count + 1) * sizeof(TVMFFIAny))
    if values == NULL:
        raise MemoryError()
    clear(&result)
    try:
        TVMGoEnterContainer(b" while passing a nested container")
        try:
            for i in range(count):
                pack_owned(items[i], &values[i])
                ready += 1
        finally:
            TVMGoLeaveContainer()
        call_short(constructor, values, <int32_t>count, &result)
    finally:
        for i in range(ready):
            release(&values[i])
        PyMem_Free(values)
    return result.v_ptr


cdef int check_whole(const TVMFFIAny* any) except -1:
    """Refuse a runtime's container so deep that destroying it could fill the C stack."""
    check_nesting(any, 0, {})
    return 0


register_container_check(check_whole)


cdef int check_nesting(const TVMFFIAny* any, int level, dict known) except -1:
    """Refuse too many levels.

    Returns how many levels `any` has, 0 for what is no container. `known` remembers them by
    address: containers that share items with others would be met too often.
    """
    cdef int inside = 0  # levels below this one
    if any.type_index not in (ffi.kTVMFFIArray, ffi.kTVMFFIList, ffi.kTVMFFIMap, ffi.kTVMFFIDict):
        return 0
    found = known.get(<size_t>any.v_ptr)
    if found is not None:
        inside = found
    if level + inside > TVMGO_MOST_NESTED:
        raise TVMValueError(f"containers cannot be nested deeper than {TVMGO_MOST_NESTED} levels")
    if found is None:
        if any.type_index == ffi.kTVMFFIArray or any.type_index == ffi.kTVMFFIList:
            inside = levels_of_items(any, level + 1, known)
        else:
            inside = levels_of_pairs(any, level + 1, known)
        known[<size_t>any.v_ptr] = inside
    return inside + 1


cdef int levels_of_items(const TVMFFIAny* sequence, int level, dict known) except -1:
    cdef ffi.TVMFFISeqCell* items = <ffi.TVMFFISeqCell*>cell(sequence.v_ptr)
    cdef int64_t i
    cdef int highest = 0
    for i in range(items.size):
        highest = max(highest, check_nesting(&(<TVMFFIAny*>items.data)[i], level, known))
    return highest


cdef int levels_of_pairs(const TVMFFIAny* any, int level, dict known) except -1:
    cdef TVMFFIAny mapping = any[0]
    cdef TVMFFIAny iterator, item
    cdef int i, highest = 0
    is_map = any.type_index == ffi.kTVMFFIMap
    clear(&iterator)
    if not begin_pairs(&mapping, map_size if is_map else dict_size,
                       iterate_map if is_map else iterate_dict, &iterator):
        return 0
    try:
        while True:
            for i in (KEY, VALUE):
                ask_iterator(&iterator, i, &item)
                try:
                    highest = max(highest, check_nesting(&item, level, known))
                finally:
                    release(&item)
            if not next_pair(&iterator):
                break
    finally:
        release(&iterator)
    return highest


cdef void* array_from_sequence(object items) except NULL:
    return build(new_array, list(items))


cdef void* map_from_dict(object items) except NULL:
    flat = []
    for pair in items.items():
        flat.extend(pair)
    return build(new_map, flat)


register_converter("sequence", array_from_sequence)
register_converter("mapping", map_from_dict)


# ---------------------------------------------------------------- runtime -> Python

cdef object shape_to_tuple(void* c_handle):
    cdef ffi.TVMFFIShapeCell* shape = <ffi.TVMFFIShapeCell*>cell(c_handle)
    cdef size_t i
    try:
        return tuple([shape.data[i] for i in range(shape.size)])
    finally:
        drop(c_handle)


cdef object array_to_list(void* c_handle):
    cdef ffi.TVMFFISeqCell* items = <ffi.TVMFFISeqCell*>cell(c_handle)
    cdef int64_t i
    try:
        TVMGoEnterContainer(b" while receiving a nested container")
        try:
            return [unpack_borrowed(&(<TVMFFIAny*>items.data)[i]) for i in range(items.size)]
        finally:
            TVMGoLeaveContainer()
    finally:
        drop(c_handle)


cdef bint begin_pairs(TVMFFIAny* mapping, void* size, void* iterate,
                      TVMFFIAny* iterator) except -1:
    """Make an iterator over a map or dict, owned by the caller. False if there is nothing in it."""
    cdef TVMFFIAny count
    clear(&count)
    call_short(size, mapping, 1, &count)
    if count.v_int64 == 0:
        return False
    call_short(iterate, mapping, 1, iterator)
    return True


cdef int ask_iterator(TVMFFIAny* iterator, int64_t what, TVMFFIAny* result) except -1:
    """Leave the KEY or VALUE it stands at in `result`, owned, or ADVANCE it."""
    cdef TVMFFIAny argument
    set_any(&argument, ffi.kTVMFFIInt, what)
    clear(result)
    return call_short(iterator.v_ptr, &argument, 1, result)


cdef object item_of(TVMFFIAny* iterator, int64_t what):
    cdef TVMFFIAny result
    ask_iterator(iterator, what, &result)
    return unpack_owned(&result)


cdef bint next_pair(TVMFFIAny* iterator) except -1:
    return item_of(iterator, ADVANCE)


cdef object as_key(object key):
    """Tuples arrive as lists, which cannot be keys."""
    return tuple([as_key(item) for item in key]) if type(key) is list else key


cdef object mapping_to_dict(void* c_handle, void* size, void* iterate):
    cdef TVMFFIAny mapping, iterator
    clear(&mapping)
    clear(&iterator)
    set_object(&mapping, c_handle)
    found = {}
    try:
        TVMGoEnterContainer(b" while receiving a nested container")
        try:
            if begin_pairs(&mapping, size, iterate, &iterator):
                while True:
                    key = item_of(&iterator, KEY)
                    found[as_key(key)] = item_of(&iterator, VALUE)
                    if not next_pair(&iterator):
                        break
        finally:
            TVMGoLeaveContainer()
        return found
    finally:
        release(&iterator)
        drop(c_handle)


cdef object map_to_dict(void* c_handle):
    return mapping_to_dict(c_handle, map_size, iterate_map)


cdef object dict_to_dict(void* c_handle):
    return mapping_to_dict(c_handle, dict_size, iterate_dict)


register_wrapper(ffi.kTVMFFIShape, shape_to_tuple)
register_wrapper(ffi.kTVMFFIArray, array_to_list)
register_wrapper(ffi.kTVMFFIList, array_to_list)
register_wrapper(ffi.kTVMFFIMap, map_to_dict)
register_wrapper(ffi.kTVMFFIDict, dict_to_dict)
