# SPDX-License-Identifier: Apache-2.0
"""The ratios of each release, and what has changed since the last of them.

``history/VERSION.json`` keeps ratios only, as [lower quartile, median, upper quartile] of tvmgo's
cost divided by a rival's: they can be compared from one machine to another, which times cannot.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.page import title_of

FOLDER = Path(__file__).with_name("history")
NOTICEABLE = 0.02  # smaller changes come and go from one process to the next

Ratio = list[float]


def ratios(figures: dict) -> dict[str, dict[str, Ratio]]:
    """Return the ratios of a run, by case and rival."""
    return {
        title_of(result): {
            name: [ratio["low"], ratio["median"], ratio["high"]]
            for name, ratio in result["ratios"].items()
        }
        for result in figures["results"]
    }


def write(figures: dict, folder: Path = FOLDER) -> Path:
    """Keep the ratios of a run as those of its version. Return the file."""
    kept = {name: figures[name] for name in ("date", "machine", "versions")}
    text = json.dumps({**kept, "ratios": ratios(figures)}, indent=1, ensure_ascii=False)
    path = folder / f"{figures['versions']['tvmgo']}.json"
    # A ratio is one line.
    path.write_text(re.sub(r"\[\s+(\S+)\s+(\S+)\s+(\S+)\s+\]", r"[\1 \2 \3]", text) + "\n")
    return path


def latest(folder: Path = FOLDER) -> dict | None:
    """Return what is kept of the latest run, None if nothing is."""
    kept = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return max(kept, key=lambda run: run["date"], default=None)


def change(old: Ratio, new: Ratio) -> str:
    """Say whether a ratio has changed even if the quartiles are taken at their mildest."""
    if new[0] > old[2] * (1 + NOTICEABLE):
        return "worse"
    if new[2] < old[0] * (1 - NOTICEABLE):
        return "better"
    return ""


def changes(old: dict, figures: dict) -> list[str]:
    """Return a line for each ratio that changed, each case that is new or gone, and how many
    changed for the worse and for the better."""
    before, now = old["ratios"], ratios(figures)
    lines = [
        f"other version: {name} {old['versions'].get(name)} then, {version} now"
        for name, version in figures["versions"].items()
        if old["versions"].get(name) != version
    ]
    count = {"worse": 0, "better": 0}
    for title, rivals in now.items():
        for rival, ratio in rivals.items():
            earlier = before.get(title, {}).get(rival)
            if earlier and (said := change(earlier, ratio)):
                count[said] += 1
                lines.append(f"{said}: {title}: {ratio[1]:.3g} of {rival}, {earlier[1]:.3g} before")
    lines += [f"new: {title}" for title in now if title not in before]
    lines += [f"gone: {title}" for title in before if title not in now]
    return [*lines, f"since {old['date'][:10]}: {count['worse']} worse, {count['better']} better"]
