# SPDX-License-Identifier: Apache-2.0
"""What tvmgo costs, beside tvm_ffi, ctypes, NumPy, bare C and plain Python, in the same run.

Each operation stands once, in `cases`, with its rivals and its target; `worlds` builds what its
statements name. Three readers of that one table:

- ``python -m benchmarks`` (``make bench``) measures the rivals of a case in turns, round after
  round (`compare`), stores the figures and says what changed since the last run of the same
  machine (`runs`), and writes ``docs/performance.md`` (`render`) with its pictures (`pictures`).
  Its ratios are the ones to quote: a neighbour that slows the machine down slows both sides.
- ``python -m benchmarks.instructions --check`` (``make bench-check``) counts the instructions of
  the main cases and fails if one has grown.
- ``pytest benchmarks`` runs them one after the other under pytest-benchmark (`test_cases`), with
  its tables, histograms and comparison of saved runs, for work on one case.
"""
