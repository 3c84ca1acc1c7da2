# SPDX-License-Identifier: Apache-2.0
"""What a call came to, in tvmgo and in the words of the records."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tvmgo

# The accessor by which the recording program read a Value of each type code.
ACCESSORS = {0: "AsInt64", 2: "AsFloat64", 11: "AsStr", 12: "AsBytes"}


class TypeCode(int):
    """A number that says what kind of value something is."""


@dataclass
class Observed:
    """What was seen of a counterpart.

    Attributes
    ----------
    value : object
        The result: Python objects, runtime objects, or a dict of observations named as recorded.
    error : BaseException or None
        What the call raised.
    extra : dict
        Further observations, under the record's names.
    about : object
        What an error has to name: the argument that was refused.
    raised : BaseException or None
        What a callback raised, when the call has to raise the same.
    """

    value: Any = None
    error: BaseException | None = None
    extra: dict = field(default_factory=dict)
    about: Any = None
    raised: BaseException | None = None


def attempt(call, *args, about=None, raised=None, **extra):
    """Return what a call comes to, an exception included."""
    try:
        return Observed(call(*args), None, extra, about, raised)
    except Exception as error:
        # Its traceback would keep alive, in the frames, what a test wants to see go.
        return Observed(None, error.with_traceback(None), extra, about, raised)


def error_of(call, *args):
    """Return the text of the error a call ends in, or None."""
    error = attempt(call, *args).error
    return None if error is None else str(error)


def shown_error(error):
    """Return an exception in one line."""
    return f"{type(error).__name__}({str(error)!r})"


def plain(x):
    """Return observations as JSON has them, bytes as the records do, so that they can be stated."""
    if isinstance(x, tvmgo.Value):
        return plain(described(x))
    if isinstance(x, dict):
        return {name: plain(item) for name, item in x.items()}
    if isinstance(x, (list, tuple, np.ndarray)):
        return [plain(item) for item in x]
    if isinstance(x, np.generic):
        return x.item()
    if isinstance(x, bytes):
        return {"bytes_hex": x.hex(), "len": len(x)}
    return x if x is None or isinstance(x, (int, float, str)) else repr(x)


def described(x):
    """Return what can be read of a `Value`, as the recording program wrote it down.

    What its accessors could not read stands under ``holds``.
    """
    code = x.type_code
    seen = {"type_code": TypeCode(code)}
    content = x.to_python()
    if code in ACCESSORS and not isinstance(content, bool):
        seen[ACCESSORS[code]] = content
    elif isinstance(content, bool):
        seen.update(AsInt64=int(content), holds=content)
    elif isinstance(content, (tvmgo.Array, tvmgo.Function, tvmgo.Module)):
        seen["handle_is_null"] = False
    elif content is not None:
        seen["holds"] = content
    return seen
