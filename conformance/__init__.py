# SPDX-License-Identifier: Apache-2.0
"""Behaviour owed to gotvm, TVM's Go binding, replayed from records of the real one.

``facts``     what gotvm v0.12.0 did, recorded, and the verdict on each; data only
``counterparts``  the recorded calls and gotvm's own tests in Python, a function for each
``samples``   gotvm's seven sample programs as Python programs, and the model one of them runs
``kernels``   C sources of the libraries all of them load
``library``, ``outcome``, ``memory``, ``gofmt``  what the counterparts use
``catalogue``, ``judge``, ``isolated``  finding, executing and judging a fact
``rules``, ``replay``  when a result, or a program's output, counts as the recorded one
``report``    the totals, and the page about all facts

``pytest conformance`` and ``python -m conformance`` execute the same functions; the latter prints
the totals and, with ``--write``, writes ``docs/reports/conformance.md``.
"""
