# SPDX-License-Identifier: Apache-2.0
"""Everything that is parsed from untrusted files, fed with inputs that are wrong in every way."""
