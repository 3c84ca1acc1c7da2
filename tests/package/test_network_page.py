# SPDX-License-Identifier: Apache-2.0
"""What docs/reports/models.md says of speed, of made-up figures."""

from benchmarks.networks import page


def spread(median):
    return {"low": median * 0.9, "median": median, "high": median * 1.1}


def figure(one, two, v3):
    return {
        "1": {
            "ms": {"tvmgo": spread(2.0)},
            "ratios": {"tvmgo": spread(one), "tvmgo, v3": spread(v3)},
            "limit": 0.9,
        },
        "2": {"ms": {"tvmgo": spread(1.5)}, "ratios": {"tvmgo": spread(two)}, "limit": 0.95},
        "export": 12.3,
        "layers": [["60% conv: convolution", "40% sum"], ["99% Conv"]],
        "versions": {"onnxruntime": "1.0"},
    }


FIGURES = {
    "slow": figure(2.0, 3.0, 4.0),
    "fast": figure(0.5, 0.75, 1.0),
    "middling": figure(1.0, 1.0, 1.0),
    "fastest": figure(0.25, 0.5, 0.5),
}


def test_a_row_has_the_ratios_with_their_spread_and_says_which_limits_are_kept():
    (row,) = [line for line in page.section(FIGURES).splitlines() if line.startswith("| fast |")]
    assert row == (
        "| fast | 2 | **0.50 (0.45 to 0.55)** | 1.5 | **0.75 (0.68 to 0.83)** | 0.9, 0.95 "
        "| 1.00 (0.90 to 1.10) | 12 |"
    )
    assert "| slow | 2 | 2.00 (1.80 to 2.20) |" in page.section(FIGURES)


def test_the_means_are_geometric():
    assert "| **geometric mean** | | 0.71 | | 1.03 | | 1.19 | |" in page.section(FIGURES)


def test_layers_are_those_of_the_worst_three():
    text = page.section(FIGURES)
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == ["### slow", "### middling", "### fast"]
    assert "| 60% conv: convolution | 99% Conv |\n| 40% sum |  |" in text


def test_the_picture_is_the_same_for_the_same_figures(tmp_path):
    for name in "ab":
        page.draw(FIGURES, tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
