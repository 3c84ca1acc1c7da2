# SPDX-License-Identifier: Apache-2.0
"""Real old compilers in the loop: what they build is run by their own runtime and by tvmgo."""
