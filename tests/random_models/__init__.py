# SPDX-License-Identifier: Apache-2.0
"""Random small ONNX models, exported and held beside ONNX Runtime: ``python -m tests.random_models``.

`model` grows one from a number, `operators` says by what; `checking` exports it and compares, `player`
runs it, on guarded memory too, in a process of its own; `valgrind` has some of these watched.
"""
