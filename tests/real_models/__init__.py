# SPDX-License-Identifier: Apache-2.0
"""Real models, exported and run beside ONNX Runtime: what becomes of each is in docs/reports/models.md."""
