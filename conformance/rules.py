# SPDX-License-Identifier: Apache-2.0
"""The rules by which what tvmgo does counts as what gotvm did.

One rule for each kind of thing a record holds; ``page.md`` has their wording.
"""

import re

import numpy as np

import tvmgo
from conformance.gofmt import go_value
from conformance.outcome import TypeCode, described, plain, shown_error

# What the recording program saw and nobody else can: a private field of gotvm's Value, and how Go
# rendered an error as text.
UNSEEN = {"isLocal", "error_go_type", "count_of_TVMError_prefix", "starts_with_message"}

# Classic type codes that share a kind in today's runtime.
ONE_KIND = {1: 0, 13: 7}

GO_TYPES = {
    "int64": int,
    "float64": float,
    "string": str,
    "[]uint8": bytes,
    "bool": (bool, tvmgo.Function, tvmgo.Module),  # written down as "the handle is not null"
    "*gotvm.Value": tvmgo.Value,
    "*gotvm.Function": tvmgo.Function,
    "*gotvm.Module": tvmgo.Module,
}

# What the recording program put its observations in: nothing that gotvm gave it. "int passed" is
# the type of an argument, of which the callee's Value was written down.
OBSERVATIONS = re.compile(r"<nil>|map\[.+|\[\](?!uint8).+|gotvm\.Device|.+ passed", re.DOTALL)

# Global functions that moved since.
RENAMED = {
    "runtime.ModuleGetTypeKey": "ffi.ModuleGetKind",
    "runtime.ModuleGetSource": "ffi.ModuleInspectSource",
    "runtime.ModuleImplementsFunction": "ffi.ModuleImplementsFunction",
    "runtime.ModuleLoadFromFile": "ffi.ModuleLoadFromFile",
    "runtime.SystemLib": "ffi.SystemLib",
    "runtime.ShapeTuple": "ffi.Shape",
    "runtime.String": "ffi.String",
    "runtime.TVMArrayAllocWithScope": "runtime.TVMTensorAllocWithScope",
    "runtime.TVMArrayCreateView": "runtime.TVMTensorCreateView",
    "runtime.module.loadfile_so": "ffi.Module.load_from_file.so",
}

# The information in each kind of native error text. A group is named for what it holds: `number`,
# `word`, `path`, `function`, `device`, `type`. A text that matches none is a message, whole.
INFORMATION = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"arr_size == nbytes \((?P<number_1>\d+) vs\. (?P<number_2>\d+)\)",
        r"from_size == to_size \((?P<number_1>\d+) vs\. (?P<number_2>\d+)\)",
        r"shape\[j\] == data_out->shape\[j\] \((?P<number_1>\d+) vs\. (?P<number_2>\d+)\)",
        r"index\) < outputs_\.size\(\) \((?P<number_1>\d+) vs\. (?P<number_2>\d+)\)",
        r"num_args >= 4 \((?P<number_1>\d+) vs\. (?P<number_2>\d+)\)",
        r"Failed to load dynamic shared library (?P<path>\S+) ",
        r"PackedFunc (?P<word>\S+) is already registered",
        r"Loader for `(?P<word>\S+)` files is not registered",
        r"Cannot map dtype:(?P<word>.*) to TVMType",
        r"Given value Type not defined for Value: .* : (?P<type>.+)",
        r"Given type not supported : (?P<type>.+)",
        r"Invalid Optional Argument Type: (?P<type>.+)",
        r"Invalid shape for Array creation: (?P<number>\d+)",
        r"Device API (?P<device>\w+) is not enabled",
        r"unknown type =(?P<number>\d+)",
        r"Function (?P<function>[\w.]+)\(.* expects (?P<number_1>\d+) arguments, but (?P<number_2>\d+)",
        r"In function (?P<function>[\w.]+)\(.* argument (?P<number>\d+): .* but got (?P<word>\w+)",
        r"In function (?P<function>[\w.]+)\(.* argument (?P<number>\d+): .*to a (?P<word>str)ing",
        r"Module\[(?P<word>\w+)\] does not support GetSource",
        r"no such function in module: (?P<word>\w+)",
        r"Invalid (?P<word>parameters) file format",
        r"are a (?P<word>mix) of \[\]Value and other types",
        r"type_code <= kTVMPackedFuncHandle",  # that it was refused, and nothing else
    )
]

BANNER = re.compile(r"-{40,}\n.*?-{40,}\n", re.DOTALL)
LOG_PREFIX = re.compile(r"\[hh:mm:ss\] \S+: ")
TRACE = re.compile(r"(?:\n?Stack trace:\n(?:  (?:File |\[bt\]).*\n?)*)+\Z")
WRAPPING = re.compile(r"\s*(?:TVMError: |Check failed: ret == 0 \(-1 vs\. 0\) : )")
REPEATED = re.compile(r"\A\((.+)\)x(\d+)\Z")


def essence(text):
    """Return a native error text without its banners, traces and what each layer put before it."""
    text = LOG_PREFIX.sub("", BANNER.sub("", TRACE.sub("", text)))
    while wrapping := WRAPPING.match(text):
        text = TRACE.sub("", text[wrapping.end() :])
    if repeated := REPEATED.match(text):
        text = repeated[1] * int(repeated[2])
    return text


def missing_information(recorded, observed):
    """Return what a recorded error text tells and the observed error does not."""
    message = str(observed.error)
    text = essence(recorded)
    for pattern in INFORMATION:
        if found := pattern.search(text):
            return [
                f"{group} {told!r}"
                for group, told in found.groupdict().items()
                if not tells(message, group.partition("_")[0], told, observed.about)
            ]
    kind = type(observed.error).__name__
    whole = text.strip("\n")
    return [] if whole in message or whole in f"{kind}: {message}" else [f"the message {whole!r}"]


def tells(message, group, told, about):
    """Return whether a message has one piece of information."""
    if group == "number":
        return re.search(rf"(?<!\d){told}(?!\d)", message) is not None
    if group == "path":
        return told.rstrip("/").rpartition("/")[2] in message
    if group == "function":
        return RENAMED.get(told, told) in message
    if group == "device":  # a kind of device of a remote machine is written so
        return {"rpc": "remote["}.get(told, told) in message
    if group == "type":
        # As what was given, not as one of the types that would have been right.
        names = type(about).__name__, repr(about), str(getattr(about, "dtype", about))
        given = r"(?:\ba |\bgot |(?:\bcannot pass |')(?:[\w.]+\.)?)"
        return any(re.search(rf"{given}{re.escape(name)}(?!\w)", message) for name in names)
    return told in message


def same(recorded, observed):
    """Return whether a recorded value is the observed one."""
    if isinstance(observed, tvmgo.Value):
        observed = described(observed)
    if isinstance(observed, (tvmgo.Function, tvmgo.Module)):
        return recorded is True or recorded == "handle: a process address"
    if isinstance(observed, TypeCode):
        return type(recorded) is int and ONE_KIND.get(recorded, recorded) == observed
    if isinstance(observed, dict):
        return isinstance(recorded, dict) and same_fields(recorded, observed)
    if isinstance(observed, (list, tuple, np.ndarray)):
        return (
            isinstance(recorded, list)
            and len(recorded) == len(observed)
            and all(map(same, recorded, observed))
        )
    if isinstance(observed, bytes):
        return recorded == {"bytes_hex": observed.hex(), "len": len(observed)}
    if isinstance(observed, str) and isinstance(recorded, dict):
        return recorded == {"hex": observed.encode("utf-8", "surrogateescape").hex()}
    if isinstance(observed, (float, np.floating)):
        if isinstance(recorded, str):  # what JSON has no number for
            return go_value(observed) == recorded
        # By text, to which 0 and -0 are two.
        return isinstance(recorded, (int, float)) and str(float(recorded)) == str(float(observed))
    if isinstance(observed, np.integer):
        observed = int(observed)
    return type(recorded) is type(observed) and recorded == observed


def same_fields(recorded, observed):
    """Compare what was written down; more may be seen now."""
    names = recorded.keys() - UNSEEN
    if observed.get("type_code") == 4:
        names = {"type_code"}
    return all(name in observed and same(recorded[name], observed[name]) for name in names)


def differences(fact, observed):
    """Compare what tvmgo did with what gotvm did.

    Parameters
    ----------
    fact : conformance.facts.Fact
    observed : conformance.outcome.Observed

    Returns
    -------
    list of str
        What differs; empty when nothing does.
    """
    return [
        found
        for recorded in (fact.outcome, *fact.varied)
        for found in differences_from(recorded, observed)
    ]


def differences_from(recorded, observed):
    """Compare with one of the outcomes that were recorded."""
    for end in ("signal", "panic"):
        if recorded.get(end):
            return [f"gotvm ended in {recorded[end]}"]
    if recorded.get("error") is not None:
        found = error_differences(recorded, observed)
    elif observed.error is not None:
        return [f"raises {shown_error(observed.error)}"]
    else:
        found = value_differences(recorded, observed)
    return found + extra_differences(recorded.get("extra", {}), observed)


def error_differences(recorded, observed):
    """Compare two failures, or a failure with what should have been one."""
    error = observed.error
    if error is None:
        return [f"gotvm refuses, here the result is {observed.value!r}"]
    found = []
    if observed.raised is not None and error is not observed.raised:
        found.append(f"not the exception raised in the callback, but {shown_error(error)}")
    if error is not observed.raised and not isinstance(error, (tvmgo.TVMError, TypeError)):
        found.append(f"an error of another kind: {shown_error(error)}")
    found += [
        f"the error {shown_error(error)} does not tell {piece}"
        for piece in missing_information(recorded["error"], observed)
    ]
    if recorded["value"] not in (None, False, "nil *Value") and not same(
        recorded["value"], observed.value
    ):
        found.append(f"{recorded['value']!r} is {observed.value!r}")
    return found


def value_differences(recorded, observed):
    """Compare two results."""
    if not same(recorded["value"], observed.value):
        return [f"{recorded['value']!r} is {plain(observed.value)!r}"]
    go_type = recorded["go_type"]
    if go_type is None or OBSERVATIONS.fullmatch(go_type):
        return []
    if go_type not in GO_TYPES:
        return [f"nothing answers to the type {go_type!r}"]
    is_observations = isinstance(observed.value, (dict, type(None)))
    if not is_observations and not isinstance(observed.value, GO_TYPES[go_type]):
        return [f"{go_type} is {type(observed.value).__name__}"]
    return []


def extra_differences(recorded, observed):
    """Compare further observations."""
    seen = {
        "value_is_nil": observed.error is not None,
        "ret_is_nil": observed.error is not None,
        "contains_message": observed.error is not None and observed.error is observed.raised,
        **observed.extra,
    }
    return [
        f"{name}: {recorded[name]!r} is {seen.get(name)!r}"
        for name in recorded.keys() - UNSEEN
        if not same(recorded[name], seen.get(name))
    ]
