# SPDX-License-Identifier: Apache-2.0
"""The cases of ONNX's own backend suite, exported and run beside the results that it expects."""
