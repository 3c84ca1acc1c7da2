# SPDX-License-Identifier: Apache-2.0
"""C declarations shared by the rooms above; nothing here exists at run time."""
