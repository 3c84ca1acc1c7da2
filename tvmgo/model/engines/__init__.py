# SPDX-License-Identifier: Apache-2.0
"""Programs that answer requests: one for each kind of model, and what opens them once a process."""
