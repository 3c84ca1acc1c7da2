# SPDX-License-Identifier: Apache-2.0
"""``python -m benchmarks.front_picture``: the README's picture, drawn of the figures in docs/reports/models.md.

It is small and needs no other program to be drawn, and shows in a dark page as well.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reports" / "models.md"
PICTURE = ROOT / "docs" / "_static" / "speed.svg"

# Models that people know, of each kind: as they are called in the page, and here.
SHOWN = {
    "ResNet18, dynamo": "ResNet-18",
    "ResNet50": "ResNet-50",
    "MobileNet v2, dynamo": "MobileNet v2",
    "DenseNet121": "DenseNet-121",
    "VGG19": "VGG-19",
    "U-Net, dynamo": "U-Net",
    "ViT tiny, dynamo": "ViT, tiny",
    "encoder, dynamo": "Transformer encoder",
    "GPT step with cache, dynamo": "GPT, one step",
    "LSTM, dynamo": "LSTM",
    "PP-OCR recogniser": "PP-OCR recogniser",
    "ResNet18, int8": "ResNet-18, int8",
}
NAMES, NUMBERS = 160, 40  # pixels
BARS = NAMES + NUMBERS
SCALE = 300  # pixels of a ratio of 1
ROW = 20
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #333 } .bar { fill: #2f80c3 } .slower { fill: #b8860b }
line { stroke: #888 } @media (prefers-color-scheme: dark) { text { fill: #ddd } }
""".strip()


def ratios(page: str) -> dict[str, float]:
    """Return the ratio of each model that is right, by name, from the page's first table of models."""
    [table] = re.findall(r'^## compiler="auto"\n(.*?)(?=^## |\Z)', page, re.DOTALL | re.MULTILINE)
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 8 and cells[2] == "right" and re.fullmatch(r"[\d.]+", cells[6]):
            found[cells[0]] = float(cells[6])
    return found


def draw(shown: dict[str, float]) -> str:
    """Return an SVG with a bar for each model: the shorter, the faster."""
    height = ROW * len(shown) + 50
    width = BARS + int(SCALE * max(1, *shown.values())) + 40
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="CPU time in that of ONNX Runtime">'
        ),
        f"<style>{STYLE}</style>",
        '<text x="0" y="14">CPU time beside ONNX Runtime, one thread: shorter is faster</text>',
    ]
    for row, (name, value) in enumerate(shown.items()):
        y = 28 + ROW * row
        kind = "bar" if value <= 1 else "bar slower"
        length = SCALE * value
        lines += [
            f'<text x="{NAMES - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
            f'<text x="{BARS - 8}" y="{y + 12}" text-anchor="end">{value:.2f}</text>',
            f'<rect class="{kind}" x="{BARS}" y="{y}" width="{length:.0f}" height="{ROW - 5}"/>',
        ]
    one = BARS + SCALE
    lines += [
        f'<line x1="{one}" x2="{one}" y1="22" y2="{height - 18}" stroke-dasharray="4 3"/>',
        f'<text x="{one}" y="{height - 4}" text-anchor="middle">ONNX Runtime: 1</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    known = ratios(PAGE.read_text())
    shown = {label: known[name] for name, label in SHOWN.items() if name in known}
    PICTURE.write_text(draw(shown))
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
