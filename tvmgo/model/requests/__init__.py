# SPDX-License-Identifier: Apache-2.0
"""How requests reach an engine: at once, with the same memory again, after a wait, or in batches."""
