# SPDX-License-Identifier: Apache-2.0
"""What a case is: one operation, all who do it, and what it should cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

Costs = Mapping[str, float]  # of one operation, by rival


@dataclass(frozen=True)
class Group:
    """A chapter of the page: what is asked, and against what."""

    title: str
    question: str
    baseline: str
    processes: bool = False  # each sample starts an interpreter: fewer rounds


@dataclass(frozen=True)
class Timed:
    """What a rival does, ready to be called again and again."""

    call: Callable[[], object]  # arguments are bound by a `partial`, which `arguments` takes apart
    right: Callable[[Any], object]  # whether an answer is as it should be
    operations: int = 1  # that one call makes

    @property
    def arguments(self) -> tuple:
        """The function behind the partial, and its arguments: what loops call, so that the cost
        of the partial is in no figure."""
        call = self.call
        return (call.func, *call.args) if isinstance(call, partial) else (call,)


@dataclass(frozen=True)
class Figure:
    """A figure made of the costs of a case's rivals, and how the page writes it."""

    text: str
    of: Callable[[Costs], float]


def cost(name: str) -> Figure:
    """The cost of one rival."""
    return Figure(name, lambda costs: costs[name])


def ratio(one: str, other: str) -> Figure:
    """The cost of one rival in that of another."""
    return Figure(f"{one} / {other}", lambda costs: costs[one] / costs[other])


@dataclass(frozen=True)
class Target:
    """What a case should cost."""

    figure: Figure
    relation: str  # "<=" or ">="
    limit: Figure
    unit: str = ""  # of figure and limit; none: a ratio
    floor: Figure | None = None  # the figure of who leaves out all that can be, if measured

    def met(self, figure: float, limit: float) -> bool:
        """Return whether a figure keeps the limit."""
        return figure <= limit if self.relation == "<=" else figure >= limit


def constant(value: float) -> Figure:
    """The same whatever anything costs."""
    return Figure(f"{value:g}", lambda _costs: value)


def at_most(limit: float, over: str = "tvm_ffi", floor: str = "") -> Target:
    """What tvmgo costs in a rival's cost stays below a limit; `floor` is a third rival."""
    return Target(
        ratio("tvmgo", over), "<=", constant(limit), floor=ratio(floor, over) if floor else None
    )


@dataclass(frozen=True)
class Case:
    """One operation and all who do it; the first is tvmgo."""

    group: Group
    name: str
    setup: Callable[[], Any]  # makes what the rivals share
    rivals: Mapping[str, Callable[[Any], Timed]]  # each is given that
    targets: tuple[Target, ...] = ()
    unit: str = "ns"  # "ns": the time of an operation; else the answer, in that unit
    sample_ns: float = 5e5  # shortest sample: short enough that most escape a neighbour's turn
    pause: float = 0  # seconds before each sample, in which a rival's idle threads come to rest
    counted: str = ""  # the rival whose instructions tvmgo's are compared with, if they are
    known: Mapping[str, float] = field(default_factory=dict)  # counts of rivals that nobody runs

    @property
    def title(self) -> str:
        """The group and the name, which together no other case has."""
        return f"{self.group.title}: {self.name}"

    def prepare(self, *names: str) -> dict[str, Timed]:
        """Make what these rivals need (default: all) and check the answer of each once.

        Raises
        ------
        AssertionError
            If a rival does something else than it should.
        """
        shared = self.setup()
        prepared = {}
        for name in names or self.rivals:
            timed = self.rivals[name](shared)
            assert timed.right(timed.call()), f"{self.title}: wrong answer of {name}"
            prepared[name] = timed
        return prepared


def equals(expected: object) -> Callable[[object], bool]:
    """Return what tells whether an answer is the expected one, None only for None."""
    return lambda answer: answer is expected or (expected is not None and answer == expected)
