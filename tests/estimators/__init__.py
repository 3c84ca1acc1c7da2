# SPDX-License-Identifier: Apache-2.0
"""Estimators of scikit-learn and LightGBM, fitted, converted, exported and compared.

`make test-frameworks` writes `docs/reports/estimators.md`. `fitting` runs in an environment of its own, which
has the frameworks; all else here.
"""
