# SPDX-License-Identifier: Apache-2.0
"""Whether an exported model computes what the original computes.

`verifier` has the steps, in the user's process: the truth comes from a worker (`simplify.truth`),
the exported files run in a process of their own (`job`), and `comparison` says whether the two
agree.
"""
