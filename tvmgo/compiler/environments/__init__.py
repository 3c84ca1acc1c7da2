# SPDX-License-Identifier: Apache-2.0
"""The environments in which compilers run: this one where it has them, else managed ones.

`interpreter_of` chooses, and nothing else of this package is needed for an export. `needs` has the
packages that each kind of worker needs, `probe` what a Python is and has, `lock_files` which wheels
to install, `places` where environments lie, `install` makes them, `listing` shows them.
"""

from tvmgo.compiler.environments.interpreters import interpreter_of

__all__ = ["interpreter_of"]
