# SPDX-License-Identifier: Apache-2.0
"""The binding: one extension module for each type and task, as docs/architecture.md lists them.

Private: users find all of it in `tvmgo`.
"""
