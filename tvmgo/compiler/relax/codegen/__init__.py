# SPDX-License-Identifier: Apache-2.0
"""Kernels to machine code: `target` (for which processor), `build` (compile and link)."""
