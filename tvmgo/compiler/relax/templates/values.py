# SPDX-License-Identifier: Apache-2.0
"""Values of a model while it is rewritten, in one or both of two layouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import relax
from tvm.relax import op as R

from tvmgo.compiler.relax.expressions import known_shape


def to_channels_last(rank: int) -> tuple[int, ...]:
    """Return the permutation that puts the channels, axis 1, behind the axes of an image."""
    return (0, *range(2, rank), 1)


def to_channels_first(rank: int) -> tuple[int, ...]:
    return (0, rank - 1, *range(1, rank - 1))


@dataclass
class Joined:
    """A tensor, its channels last, in which images lie side by side.

    Kernels write one image after the other into it. `content` is what the last of them returned: the
    memory is the same, and what is in it once stays.
    """

    channels: int
    content: relax.Expr | None = None


@dataclass(frozen=True)
class Place:
    """Channels of a joined tensor."""

    joined: Joined
    first: int
    count: int

    @property
    def is_whole(self) -> bool:
        return self.count == self.joined.channels


@dataclass(frozen=True)
class Shuffle:
    """An image with its channels last that is to be shuffled: one channel of each part after the other.

    Its channels are `parts` parts that lie one behind the other.
    """

    content: relax.Expr
    parts: int

    def done(self, builder: relax.BlockBuilder) -> relax.Expr:
        return exchanged(builder, self.content, self.parts)

    def undone(self, builder: relax.BlockBuilder, image: relax.Expr) -> relax.Expr:
        """Return another image, which is shuffled, with its channels in the order of `content`."""
        return exchanged(builder, image, known_shape(image)[-1] // self.parts)


def exchanged(builder: relax.BlockBuilder, image: relax.Expr, parts: int) -> relax.Expr:
    """Take the last axis for a matrix of so many rows, and transpose that."""
    shape = known_shape(image)
    rank = len(shape)
    matrix = builder.emit(R.reshape(image, (*shape[:-1], parts, shape[-1] // parts)))
    matrix = builder.emit(R.permute_dims(matrix, [*range(rank - 1), rank, rank - 1]))
    return builder.emit(R.reshape(matrix, shape))


@dataclass
class Value:
    """An expression of the new model, in the layout of the old one or with its channels last.

    Or the place where it lies with its channels last, or what is to be shuffled to get it.
    """

    plain: relax.Expr | None = None
    channels_last: relax.Expr | None = None
    place: Place | None = None
    shuffle: Shuffle | None = None


class Values:
    """What the variables of the old model have become. Layouts are converted when asked for.

    Parameters
    ----------
    builder : relax.BlockBuilder
    outer : callable
        Takes a variable of elsewhere, or an expression without variables; returns what it became.
    """

    def __init__(
        self, builder: relax.BlockBuilder, outer: Callable[[relax.Expr], relax.Expr]
    ) -> None:
        self.builder = builder
        self.outer = outer
        self.known: dict[relax.Var, Value] = {}

    def __setitem__(self, variable: relax.Var, value: Value) -> None:
        self.known[variable] = value

    def of(self, expression: relax.Expr) -> Value:
        if not isinstance(expression, relax.Var):
            return Value(plain=self.outer(expression))
        if expression not in self.known:
            self.known[expression] = Value(plain=self.outer(expression))
        return self.known[expression]

    def plain(self, expression: relax.Expr) -> relax.Expr:
        value = self.of(expression)
        if value.plain is None:
            value.plain = self.permuted(self.channels_last(expression), to_channels_first)
        return value.plain

    def channels_last(self, expression: relax.Expr) -> relax.Expr:
        """Return an image, of rank 3 or more, with its channels last."""
        value = self.of(expression)
        place = value.place
        if value.channels_last is None and place is not None:
            content = place.joined.content
            value.channels_last = content if place.is_whole else self.copied(place)
        elif value.channels_last is None and value.shuffle is not None:
            value.channels_last = value.shuffle.done(self.builder)
        elif value.channels_last is None:
            value.channels_last = self.permuted(value.plain, to_channels_last)
        return value.channels_last

    def has_channels_last(self, expression: relax.Expr) -> bool:
        value = self.of(expression)
        known = (value.channels_last, value.place, value.shuffle)
        return any(each is not None for each in known)

    def copied(self, place: Place) -> relax.Expr:
        content, first = place.joined.content, place.first
        axis = len(known_shape(content)) - 1
        return self.builder.emit(
            R.strided_slice(content, [axis], [first], [first + place.count], [1])
        )

    def is_channels_last(self, expression: relax.Expr) -> bool:
        """Whether a value has its channels last and nothing else, so that its other layout would cost a copy."""
        return self.of(expression).plain is None

    def permuted(
        self, expression: relax.Expr, order: Callable[[int], tuple[int, ...]]
    ) -> relax.Expr:
        """Permute the axes; where that moves nothing in memory, it is a reshape."""
        shape = known_shape(expression)
        axes = order(len(shape))
        moved = tuple(shape[axis] for axis in axes)
        if [axis for axis in axes if shape[axis] > 1] == [
            axis for axis in range(len(axes)) if shape[axis] > 1
        ]:
            return self.builder.emit(R.reshape(expression, moved))
        return self.builder.emit(R.permute_dims(expression, axes))
