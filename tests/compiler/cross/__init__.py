# SPDX-License-Identifier: Apache-2.0
"""Exports for another processor, run by an emulator: `driver.c` in it, `emulated.py` calls it."""
