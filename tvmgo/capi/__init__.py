# SPDX-License-Identifier: Apache-2.0
"""C declarations shared by the modules above; nothing here exists at run time."""
