# SPDX-License-Identifier: Apache-2.0
"""What is exported today, run by the runtimes of old releases and by tvmgo, bit for bit the same."""
