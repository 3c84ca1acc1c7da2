# SPDX-License-Identifier: Apache-2.0
"""Which operators take how long, and in which forms that is told."""
