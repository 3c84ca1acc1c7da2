# SPDX-License-Identifier: Apache-2.0
"""What somebody meant by the name of a global function that is not there: what TVM has renamed since,
and names that are nearly the same."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# Beginnings and parts of names of TVM 0.2 to 0.20, and what they have become. All that match are
# replaced, in this order.
RENAMED = [
    (r"^(runtime\.)?module\.loadfile_", "ffi.Module.load_from_file."),
    (r"^(runtime\.)?module\.loadbinary_", "ffi.Module.load_from_bytes."),
    (r"\brelax\.Executable$", "relax.VMExecutable"),
    (r"^module\._(RPC)?TimeEvaluator$", "runtime.RPCTimeEvaluator"),
    (r"^module\._(Enabled|RuntimeEnabled)$", "runtime.RuntimeEnabled"),
    (r"^(module\._Get|runtime\.)SystemLib$", "ffi.SystemLib"),
    (r"^(module\._|runtime\.Module)(?!LoadStaticLibrary)", "ffi.Module"),
    (r"^ffi\.ModuleGetSource$", "ffi.ModuleInspectSource"),
    (r"^ffi\.ModuleSaveToFile$", "ffi.ModuleWriteToFile"),
    (r"^ffi\.ModuleGetTypeKey$", "ffi.ModuleGetKind"),
    (r"^ffi\.ModuleGetFormat$", "ffi.ModuleGetWriteFormats"),
    (r"^(node\.|runtime\.|_)(Array|Map|String|ShapeTuple)(?=$|[GSC])", r"ffi.\2"),
    (r"^ffi\.ShapeTuple$", "ffi.Shape"),
    (r"^_GetDeviceAttr$", "runtime.GetDeviceAttr"),
    (r"TVMArray(?=[A-Z])", "TVMTensor"),
    (r"NDArray(?=[A-Z])", "Tensor"),
    (r"\bndarray_cache\b", "tensor_cache"),
    (r"^rpc\._", "rpc."),
    (r"^(tvm\.relay|nnvm\.compiler)\._save_param_dict$", "runtime.SaveParams"),
    (r"^(tvm\.relay|nnvm\.compiler)\._load_param_dict$", "tvmgo.parse_params"),
    (r"^tvm\.graph_runtime_cuda_graph\.", "tvm.graph_executor_cuda_graph."),
    (r"^device_api\.gpu$", "device_api.cuda"),
]


def meant_by(name: str, known: Iterable[str]) -> list[str]:
    """Return names that are there: the one that `name` has become, or else up to three near ones."""
    known = list(known)
    today = name
    for old, new in RENAMED:
        today = re.sub(old, new, today)
    if today != name:
        return [today] if today in known else []
    # Without capitals and underscores, of which the styles differ.
    plain = {plain_name(other): other for other in known}
    near = difflib.get_close_matches(plain_name(name), plain, 3, cutoff=0.8)
    return [plain[other] for other in near]


def plain_name(name: str) -> str:
    return name.lower().replace("_", "")
