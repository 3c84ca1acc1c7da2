# SPDX-License-Identifier: Apache-2.0
"""Arguments that verbs have in common: the model, and pairs such as ``x=1,3,224,224``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def pair(kind: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    """Return what reads NAME=VALUE; names may have "=" inside, values not."""

    def read(text: str) -> tuple[str, Any]:
        name, equals, value = text.rpartition("=")
        if not equals or not name:
            raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
        return name, kind(value)

    return read


def integers(text: str) -> tuple[int, ...]:
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected integers with commas between, got {text!r}"
        ) from None


def sizes(text: str) -> tuple[int, ...]:
    """A shape, which for a scalar is empty."""
    return integers(text) if text else ()


def add_path(parser: argparse.ArgumentParser) -> None:
    """Add the argument that says which model is meant."""
    parser.add_argument("path", help="a folder or bundle with a model, or its library")


def add_input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input",
        nargs="+",
        type=pair(str),
        action="extend",
        default=[],
        metavar="NAME=FILE.npy",
        help="a value; NAME=random for one made up, as are those that are not given",
    )
