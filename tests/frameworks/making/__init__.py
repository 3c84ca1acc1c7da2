# SPDX-License-Identifier: Apache-2.0
"""Programs that make models: each runs alone, by a Python that has its framework.

``python NAME.py FOLDER`` writes ``FOLDER/MODEL.SUFFIX``, whose name says what it is, and beside each
``MODEL.SUFFIX.npz``: inputs under the names that the framework's user knows, and results as ``y0``, ``y1``, ...
"""
