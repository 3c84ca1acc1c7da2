# SPDX-License-Identifier: Apache-2.0
"""Models of frameworks, written by these, exported as they are and compared with what the framework says.

`make test-frameworks` writes `docs/reports/frameworks.md`. `making` runs where the frameworks are; all else here.
"""
