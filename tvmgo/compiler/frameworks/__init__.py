# SPDX-License-Identifier: Apache-2.0
"""Models of other frameworks than ONNX, in the user's process: what they are, and who converts them.

`files` says what a path holds, `objects` has a framework save what lives in this process, `table` lists the
frameworks. `converting` gives the file to a worker (`tvmgo.compiler.convert`), in an environment that has the
framework, and goes on with the ONNX file that comes back; it also asks the framework what the model computes.
"""
