# SPDX-License-Identifier: Apache-2.0
"""``samples``: gotvm's sample programs, run on libraries of the classic calling convention."""

import importlib

import numpy as np

from conformance import replay
from conformance.catalogue import counterpart
from conformance.samples import classifier, complex

# What the input of `complex` held in the recorded run. The record's remark says zeros, its result
# says otherwise: to zeros the model gives the first class the score 0. Of a picture it sees the
# three channel means, and with these every one of the ten recorded scores has the recorded bits.
# They are those of random numbers in [0, 1), such as the sample failed to copy.
MEANS_IN_RECORDED_RUN = (0.50022244, 0.50105625, 0.5002241)


def assert_names_both_sizes(stderr):
    """The oversized copy, which gotvm's sample did not notice, was reported once."""
    (message,) = stderr.splitlines()
    assert "size mismatch" in message
    assert str(np.prod(complex.SHAPE_IN) * 4) in message
    assert str(244 * 244 * 3 * 4) in message


@counterpart("samples.simple", "samples.pack_func_*", compare=replay.compare)
def sample(fact):
    main = importlib.import_module(f"conformance.samples.{fact.case}").main
    out, err = replay.output_of(main)
    assert err == ""
    return out


@counterpart("samples.complex", compare=replay.compare)
def complex_as_recorded():
    picture = classifier.picture_of_means(MEANS_IN_RECORDED_RUN)
    out, err = replay.output_of(complex.main, allocated=picture)
    assert_names_both_sizes(err)
    return out
