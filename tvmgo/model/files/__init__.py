# SPDX-License-Identifier: Apache-2.0
"""What a path holds: the files of a model, in a folder or in a bundle."""
