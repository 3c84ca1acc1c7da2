# SPDX-License-Identifier: Apache-2.0
"""The worker that converts models of frameworks to ONNX, in an environment that has the framework.

A module for each framework; each has two functions, `convert` and `compute`, which get a `Request`.
"""
