# SPDX-License-Identifier: Apache-2.0
"""How long networks take beside ONNX Runtime: ``python -m benchmarks.networks`` (``make bench-models``).

`catalogue` says which networks there are and what they should take, `built` writes those that are nobody's,
`prepared` exports one and runs it by both; `measuring` takes the samples; `page` writes the part of
docs/reports/models.md that is about speed, and a picture. `benchmarks.cases.networks` makes cases of them.
"""
