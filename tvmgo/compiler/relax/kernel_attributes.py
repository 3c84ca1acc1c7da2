# SPDX-License-Identifier: Apache-2.0
"""What a kernel says of itself to those who compile and call it, as attributes of its PrimFunc."""

# It is made of statements, vectors and flat indices already.
IS_FLAT = "tvmgo.flat"

# Numbers of its parameters in whose memory it may put its result.
IN_PLACE = "tvmgo.in_place"
