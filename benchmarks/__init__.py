# SPDX-License-Identifier: Apache-2.0
"""What tvmgo costs, beside tvm_ffi, NumPy and plain Python, in the same run.

Each operation stands once, in `cases`; `worlds` builds what its statements name. Two readers of
that one table:

- ``python -m benchmarks`` (``make bench``) measures the rivals of a case in turns, round after
  round (`compare`), writes the figures as JSON and renders ``docs/performance.md`` (`render`).
  Its ratios are the ones to quote: a neighbour that slows the machine down slows both sides.
- ``pytest benchmarks`` runs them one after the other under pytest-benchmark (`test_cases`), with
  its tables, histograms and comparison of saved runs, for work on one case.
"""
