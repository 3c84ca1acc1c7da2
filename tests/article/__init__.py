# SPDX-License-Identifier: Apache-2.0
"""The article of 2019, done whole: examples/article, in an environment with TensorFlow and TVM 0.19.

`make test-frameworks` runs it.
"""
