# SPDX-License-Identifier: Apache-2.0
"""Runs of models that the command line makes."""
