# SPDX-License-Identifier: Apache-2.0
"""Compilers in processes of their own.

A compiler brings packages that a service does not want in its process, and that do not go together
in one: two of them are called ``tvm``. So each kind of job is done by a worker, an interpreter that
runs `server`, whose environment has what the job needs. `client` starts workers, gives them jobs,
and makes exceptions of what went wrong; `messages` is what the two say to each other. Models and
results are files; only their paths are said.

What a worker runs imports `tvmgo.exceptions` and `tvmgo.compiler` alone, none of tvmgo's
extensions: its environment need not have tvmgo.
"""
