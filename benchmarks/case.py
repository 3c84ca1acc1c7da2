# SPDX-License-Identifier: Apache-2.0
"""What a case is: one operation, all who do it, and what it should cost.

A statement is Python source, run in a loop over the names of its rival's world, so that nothing
stands between the loop and the call. ``answer`` in a check is the statement's value.
"""

from __future__ import annotations

import operator
import re
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks import worlds
from benchmarks.world import Memory

RELATIONS = MappingProxyType({"<=": operator.le, ">=": operator.ge})


@dataclass(frozen=True)
class Group:
    """A chapter of the table: what is asked, and against what."""

    title: str
    question: str
    baseline: str
    processes: bool = False  # each sample starts an interpreter: fewer rounds


@dataclass(frozen=True)
class Rival:
    """One way to do the operation."""

    statement: str
    check: str  # an expression that holds if the answer is right
    loop: bool = False  # the statement does it `calls` times by itself


def _identifiers(costs: dict[str, float]) -> dict[str, float]:
    return {re.sub(r"\W", "_", name): cost for name, cost in costs.items()}


@dataclass(frozen=True)
class Target:
    """What a case should cost: an expression over the costs of its rivals, and its limit.

    In both, a rival is named as in the case, with ``_`` for what is no letter.
    """

    figure: str
    relation: str  # "<=" or ">="
    limit: str
    unit: str = ""  # of both sides; none: a ratio
    floor: str = ""  # what somebody needs who leaves out all that can be, if measured

    def evaluate(self, costs: dict[str, float]) -> tuple[float, float]:
        """Return figure and limit for the costs of one round."""
        names = _identifiers(costs)
        return eval(self.figure, {}, names), eval(self.limit, {}, names)

    def evaluate_floor(self, costs: dict[str, float]) -> float | None:
        """Return the floor for the costs of one round, None if no rival shows it."""
        return eval(self.floor, {}, _identifiers(costs)) if self.floor else None

    def met(self, figure: float, limit: float) -> bool:
        """Return whether a figure keeps the limit."""
        return RELATIONS[self.relation](figure, limit)


def at_most(limit: float, figure: str = "tvmgo / tvm_ffi", floor: str = "") -> Target:
    """A ratio that stays below a limit."""
    return Target(figure, "<=", f"{limit:.2f}", floor=floor)


def at_least(limit: float, figure: str) -> Target:
    """A ratio that stays above a limit."""
    return Target(figure, ">=", f"{limit:.2f}")


@dataclass(frozen=True)
class Case:
    """One operation and all who do it; the first is tvmgo."""

    group: Group
    name: str
    rivals: dict[str, Rival]
    targets: tuple[Target, ...] = ()
    nbytes: int = 16  # size of the arrays
    length: int = 1  # operators of the graph; the cost is that of one
    unit: str = "ns"  # "ns": the time of the statement; else its value, in that unit
    sample_ns: float = 5e5  # shortest sample: short enough that most escape a neighbour's turn
    gotvm: str | None = None  # the same operation among gotvm's recorded figures
    counted: bool = False  # its instructions are counted too

    @property
    def title(self) -> str:
        """The group and the name, which together no other case has."""
        return f"{self.group.title}: {self.name}"

    def prepare(self, names: tuple[str, ...] = ()) -> dict[str, Callable[[int], float]]:
        """Build the worlds, check each answer once, and return what takes a sample.

        Parameters
        ----------
        names : tuple of str, optional
            The rivals wanted; default: all.

        Returns
        -------
        dict of str to callable
            A rival's sampler takes a number of calls and returns the cost of one of them, in
            the case's unit. Nothing is subtracted for the loop.

        Raises
        ------
        AssertionError
            If a rival does something else than it should.
        """
        memory = Memory(self.nbytes)
        return {name: self._prepare_rival(name, memory) for name in names or tuple(self.rivals)}

    def _prepare_rival(self, name: str, memory: Memory) -> Callable[[int], float]:
        rival = self.rivals[name]
        memory.clear()
        world = worlds.build(name, (rival.statement, rival.check), memory, self.length)
        world["calls"] = 1
        world["answer"] = eval(rival.statement, world)
        assert eval(rival.check, world), f"{self.title}: {name}: {rival.check}"
        del world["answer"]
        return self._sampler(rival, world)

    def _sampler(self, rival: Rival, world: dict) -> Callable[[int], float]:
        code = compile(rival.statement, "<statement>", "eval")
        if self.unit != "ns":
            return lambda calls: sum(eval(code, world) for _ in range(calls)) / calls
        if not rival.loop:
            timer = timeit.Timer(rival.statement, globals=world)
            return lambda calls: timer.timeit(calls) * 1e9 / (calls * self.length)

        def sample(calls: int) -> float:
            world["calls"] = calls
            start = time.perf_counter_ns()
            eval(code, world)
            return (time.perf_counter_ns() - start) / (calls * self.length)

        return sample
