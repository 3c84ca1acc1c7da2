# SPDX-License-Identifier: Apache-2.0
"""The server: `listener` accepts clients and watches over their sessions, each of which is a process
that `serving` runs, with the `functions` that clients expect.
"""
