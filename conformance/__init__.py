# SPDX-License-Identifier: Apache-2.0
"""Behaviour owed to gotvm, TVM's Go binding, replayed from records of the real one.

``facts``     what gotvm v0.12.0 did, recorded; data only
``samples``   gotvm's seven sample programs as Python programs
``kernels``   C sources of the libraries those programs load
``classifier``  the small model which gotvm's ``complex`` sample ran
``gofmt``     numbers, slices and types as Go prints them
``replay``    when a program's output counts as the recorded one
``world``, ``outcome``, ``counterparts``  the recorded calls, made in Python
``rules``     when what a call came to counts as recorded
``catalogue``, ``judge``, ``isolated``  finding, executing and judging a fact
``suites``, ``report``  the samples and tests beside them, and the page about all
``artifacts`` replaying models of your own

Run it with ``pytest conformance``; ``python -m conformance`` prints the totals and writes
``docs/conformance.md``.
"""
