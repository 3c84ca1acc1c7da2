# SPDX-License-Identifier: Apache-2.0
"""What a kernel says of itself to those who compile and call it, as attributes of its PrimFunc."""

# It is made of statements, vectors and flat indices already.
IS_FLAT = "tvmgo.flat"

# Numbers of its parameters in whose memory it may put its result.
IN_PLACE = "tvmgo.in_place"

# The number of the parameter whose memory its result takes over: it adds to what is in there.
EXTENDS = "tvmgo.extends"

# What reports tell of it: which template emitted it, the tile that it computes at once, and how many
# operations on numbers it takes, as if each were on one number.
TEMPLATE = "tvmgo.template"
TILE = "tvmgo.tile"
OPERATIONS = "tvmgo.operations"
