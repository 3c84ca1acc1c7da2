# SPDX-License-Identifier: Apache-2.0
"""Devices (DLPack's ``DLDevice``; gotvm ``Context``, later ``Device``)."""
from types import SimpleNamespace

cimport cython
from cpython.number cimport PyNumber_Index
from libc.stdint cimport INT32_MAX, INT32_MIN

from cpython.object cimport PyTypeObject
from tvmgo.capi cimport dlpack
from tvmgo.capi.dlpack cimport SESSION_STEP, DLDevice, DLDeviceType
from tvmgo.capi.pytype cimport TVMGoNameType
from tvmgo.exceptions import TVMTypeError, TVMValueError

# Numbers without a name in today's DLPack, kept because old artifacts and gotvm use them.
cdef int SDACCEL = 33
cdef int OPENGL = 34

# The other way round: not every DLPack that is allowed has these.
cdef int MAIA = 17
cdef int TRN = 18

# What counts sessions in the numbers of their devices, for `tvmgo.rpc`.
REMOTE_STEP = SESSION_STEP

cdef dict DEVICE_NAMES = {
    dlpack.kDLCPU: "cpu",
    dlpack.kDLCUDA: "cuda",
    dlpack.kDLCUDAHost: "cuda_host",
    dlpack.kDLOpenCL: "opencl",
    dlpack.kDLVulkan: "vulkan",
    dlpack.kDLMetal: "metal",
    dlpack.kDLVPI: "vpi",
    dlpack.kDLROCM: "rocm",
    dlpack.kDLROCMHost: "rocm_host",
    dlpack.kDLExtDev: "ext_dev",
    dlpack.kDLCUDAManaged: "cuda_managed",
    dlpack.kDLOneAPI: "oneapi",
    dlpack.kDLWebGPU: "webgpu",
    dlpack.kDLHexagon: "hexagon",
    MAIA: "maia",
    TRN: "trn",
    SDACCEL: "sdaccel",
    OPENGL: "opengl",
}

cdef dict DEVICE_TYPES = {name: number for number, name in DEVICE_NAMES.items()}
# Spellings of older TVM scripts; "llvm" and "c" are compiler targets that run on the CPU.
DEVICE_TYPES.update(gpu=dlpack.kDLCUDA, cpu_pinned=dlpack.kDLCUDAHost, cl=dlpack.kDLOpenCL,
                    mtl=dlpack.kDLMetal, llvm=dlpack.kDLCPU, c=dlpack.kDLCPU)


# What the layer `device_api` offers for devices other than the host.
cdef object device_api = None


def use_device_api(*, exists, sync, alloc, copy, require):
    """Take the functions of `device_api`, which this module must not import."""
    global device_api
    device_api = SimpleNamespace(exists=exists, sync=sync, alloc=alloc, copy=copy,
                                 require=require)


cdef class Device:
    """One device: what kind it is and which of its kind.

    Parameters
    ----------
    device : str, int, Device or object with ``__dlpack_device__``
        ``"cpu"``, ``"cuda:1"``, whatever ``str(device)`` says, DLPack's device number, ...
    device_id : int, default 0
        Which device of that kind. Not checked against the machine; see `exists`.

    Raises
    ------
    ValueError
        If the name is unknown, the index is given twice, or a number does not fit 32 bits.
    TypeError
        If `device` is nothing a device can be made from.

    Notes
    -----
    Immutable, hashable, comparable: ``Device("cpu", 0) == Device("cpu:0") == cpu(0)``.
    Source: ``DLDevice``; gotvm ``CPU(i)``, ``GPU(i)``, ...
    """

    def __cinit__(self, device, device_id=None):
        self.c_device = device_of(device)
        if device_id is not None:
            if isinstance(device, str) and ":" in device:
                raise TVMValueError(f"device_id: {device!r} already names one, "
                                    f"got {device_id!r} too")
            self.c_device.device_id = to_int32("device_id", device_id)

    @property
    def device_type(self):
        """DLPack's number of the kind of device; 1 is the CPU."""
        return <int>self.c_device.device_type

    @property
    def device_id(self):
        """Which device of its kind, counted from 0."""
        return self.c_device.device_id

    @property
    def is_remote(self):
        """Whether it is a device of another machine, which a session of `tvmgo.rpc` reaches."""
        return <int>self.c_device.device_type >= SESSION_STEP

    @property
    def exists(self):
        """Whether the machine has the device and the runtime can use it.

        The CPU always does; for the others the runtime library is loaded and asked.
        """
        if is_host(self.c_device):
            return self.c_device.device_type == dlpack.kDLCPU
        return device_api.exists(self)

    @property
    def exist(self):
        """`exists` under TVM's name."""
        return self.exists

    def sync(self):
        """Wait until the device has done all work of its default stream.

        The CPU's is done when a call returns.

        Raises
        ------
        TVMError
            If the runtime has no such device.

        Notes
        -----
        Releases the GIL. Source: ``runtime.Device_StreamSync``; TVM's ``Device.sync``.
        """
        if not is_host(self.c_device):
            device_api.sync(self)

    def __eq__(self, other):
        if not isinstance(other, Device):
            return NotImplemented
        cdef DLDevice b = (<Device>other).c_device
        return (self.c_device.device_type == b.device_type
                and self.c_device.device_id == b.device_id)

    def __hash__(self):
        return hash((<int>self.c_device.device_type, self.c_device.device_id))

    def __str__(self):
        return device_name(self.c_device)

    def __repr__(self):
        return f"tvmgo.Device('{self}')"

    def __reduce__(self):
        return Device, (<int>self.c_device.device_type, self.c_device.device_id)


TVMGoNameType(<PyTypeObject*>Device, b"tvmgo.Device")


cdef Device wrap_device(DLDevice c_device):
    cdef Device self = Device.__new__(Device, 1)
    self.c_device = c_device
    return self


cdef str device_name(DLDevice c_device):
    cdef int number = c_device.device_type
    name = DEVICE_NAMES.get(number)
    if name is None and number >= SESSION_STEP and number % SESSION_STEP in DEVICE_NAMES:
        session = number // SESSION_STEP - 1
        name = f"{REMOTE}{session}{OF_REMOTE}{DEVICE_NAMES[number % SESSION_STEP]}"
    elif name is None:
        name = f"{NUMBERED}{number}"
    return f"{name}:{c_device.device_id}"


# How TVM writes a kind of device of another machine, and how one without a name is written here.
cdef str REMOTE = "remote["
cdef str OF_REMOTE = "]-"
cdef str NUMBERED = "device_type_"


cdef int type_of_name(str name) except? 0:
    """The number of a kind of device as `device_name` writes it; ValueError if it does not."""
    number = DEVICE_TYPES.get(name)
    if number is not None:
        return number
    if name.startswith(NUMBERED):
        return to_int32("device", int(name[len(NUMBERED):]))
    remote, _, kind = name.partition(OF_REMOTE)
    if not remote.startswith(REMOTE) or kind not in DEVICE_TYPES:
        raise ValueError
    session = int(remote[len(REMOTE):])
    if session < 0:
        raise ValueError
    return to_int32("device", DEVICE_TYPES[kind] + (session + 1) * SESSION_STEP)


cdef int to_int32(str argument, object x) except *:
    try:
        number = PyNumber_Index(x)
    except TypeError:
        raise TVMTypeError(f"{argument}: expected an int, got {type(x).__name__}") from None
    if not INT32_MIN <= number <= INT32_MAX:
        raise TVMValueError(f"{argument}: expected an int of 32 bits, got {number}")
    return number


cdef DLDevice device_of(object x) except *:
    cdef DLDevice c_device
    if isinstance(x, Device):
        return (<Device>x).c_device
    c_device.device_id = 0
    if isinstance(x, str):
        name, colon, index = x.partition(":")
        try:
            c_device.device_type = <DLDeviceType>type_of_name(name)
        except ValueError:
            raise TVMValueError(f"device: unknown name {x!r}; known are "
                                f"{', '.join(sorted(DEVICE_TYPES))}") from None
        if colon:
            try:
                c_device.device_id = to_int32("device", int(index))
            except ValueError:
                raise TVMValueError(f"device: expected NAME or NAME:INDEX, got {x!r}") from None
    elif hasattr(x, "__dlpack_device__"):
        number, index = x.__dlpack_device__()
        c_device.device_type = <DLDeviceType>to_int32("device", number)
        c_device.device_id = to_int32("device", index)
    elif hasattr(x, "dlpack_device_type"):  # tvm_ffi's devices
        c_device.device_type = <DLDeviceType>to_int32("device", x.dlpack_device_type())
        c_device.device_id = to_int32("device", x.index)
    elif hasattr(x, "__index__"):
        c_device.device_type = <DLDeviceType>to_int32("device", x)
    else:
        raise TVMTypeError(f"device: expected a Device, a name or a DLPack device number, "
                           f"got {type(x).__name__}")
    return c_device


def _constructor(name):
    cdef int number = DEVICE_TYPES[name]

    @cython.binding(True)  # one function object each, with a name of its own
    def make(device_id=0):
        return Device(number, device_id)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = (f"Return the {DEVICE_NAMES[number]} device of this index "
                    f"(DLPack number {number}).")
    return make


cpu = _constructor("cpu")
gpu = _constructor("gpu")
cuda = _constructor("cuda")
cpu_pinned = _constructor("cpu_pinned")
cuda_host = _constructor("cuda_host")
opencl = _constructor("opencl")
metal = _constructor("metal")
vpi = _constructor("vpi")
rocm = _constructor("rocm")
sdaccel = _constructor("sdaccel")
vulkan = _constructor("vulkan")
opengl = _constructor("opengl")
ext_dev = _constructor("ext_dev")
hexagon = _constructor("hexagon")
webgpu = _constructor("webgpu")
