# SPDX-License-Identifier: Apache-2.0
"""What a word that names no element type may have meant. Imported when one has come."""

from __future__ import annotations

import difflib

_NAMES = (
    "bool",
    *(f"int{bits}" for bits in (1, 4, 8, 16, 32, 64)),
    *(f"uint{bits}" for bits in (1, 4, 8, 16, 32, 64)),
    *(f"float{bits}" for bits in (16, 32, 64)),
    *("complex64", "complex128", "bfloat16", "handle"),
    *(f"float8_{kind}" for kind in ("e3m4", "e4m3", "e4m3b11fnuz", "e4m3fn", "e4m3fnuz")),
    *(f"float8_{kind}" for kind in ("e5m2", "e5m2fnuz", "e8m0fnu")),
    *("float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"),
)
_FORMER = {  # TVM 0.14 to 0.19
    "e4m3_float8": "float8_e4m3fn",
    "e5m2_float8": "float8_e5m2",
}
_LONGEST = 40  # characters of a word that are shown


def _numpy_reads(word: str) -> str | None:
    """Return the name of the type that NumPy takes the word for, if that is one of ours."""
    try:
        import numpy

        name = numpy.dtype(word).name
    except Exception:  # of many classes, some from parsing the word as Python
        return None
    return name if name in _NAMES else None


def refusal(word: str, runtime_reads: str | None) -> str:
    """Return the message for a word that is no name.

    Parameters
    ----------
    word : str
    runtime_reads : str or None
        The name of the type for which the runtime takes the word, if there is one.
    """
    shown = repr(word if len(word) <= _LONGEST else word[:_LONGEST] + "...")
    numpy_reads = _numpy_reads(word)
    if numpy_reads and runtime_reads and numpy_reads != runtime_reads:
        return (
            f"{shown} is {runtime_reads!r} to TVM and {numpy_reads!r} to NumPy; "
            f"use one of these names"
        )
    meant = numpy_reads or runtime_reads or _FORMER.get(word)
    if meant is None:
        near = difflib.get_close_matches(word[:_LONGEST].strip().lower(), _NAMES, 1, 0.5)
        if not near:
            return f"{shown} is not the name of an element type, such as 'float32' or 'int8'"
        meant = near[0]
    return f"{shown} is not the name of an element type; did you mean {meant!r}?"
