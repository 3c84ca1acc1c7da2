# SPDX-License-Identifier: Apache-2.0
"""What is found out about a model without running it."""
