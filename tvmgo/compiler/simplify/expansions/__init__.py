# SPDX-License-Identifier: Apache-2.0
"""Operators in terms of others, where compilers lack them or get them wrong; `table` lists them."""
