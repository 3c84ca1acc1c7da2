# SPDX-License-Identifier: Apache-2.0
"""Which operator becomes which kernel: `table` has them all, `context` what each is given."""
