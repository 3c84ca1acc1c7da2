# SPDX-License-Identifier: Apache-2.0
"""Stored runs, one folder per machine, and what changed since the last of them.

`PUBLISHED` is the run that ``docs/performance.md`` shows; it is kept with the sources. All others
stay where they were taken.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

STORE = Path(__file__).parents[1] / ".benchmarks" / "runs"
PUBLISHED = Path(__file__).with_name("published.json")
NOTICEABLE = 0.02  # smaller changes come and go from one process to the next


def fingerprint(machine: dict) -> str:
    """Return a folder's name for machines that look the same: CPU, number of cores, system."""
    text = f"{machine['cpu']} {machine['cores']} cores {machine['system']}"
    return re.sub(r"\W+", "-", text).strip("-").lower()


def write(figures: dict, path: Path) -> None:
    """Write one run as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n")


def store(figures: dict, folder: Path = STORE) -> Path:
    """Keep a run among those of its machine. Return the file."""
    name = re.sub(r"\W", "", figures["date"].removesuffix("+00:00"))
    path = folder / fingerprint(figures["machine"]) / f"{name}.json"
    write(figures, path)
    return path


def last(machine: dict, folder: Path = STORE, published: Path = PUBLISHED) -> dict | None:
    """Return the latest run of this machine, the published one among them; None: there is none."""
    mine = fingerprint(machine)
    paths = sorted((folder / mine).glob("*.json"))[-1:]
    if published.exists():
        paths.append(published)
    found = [
        run
        for run in (json.loads(path.read_text()) for path in paths)
        if fingerprint(run["machine"]) == mine
    ]
    return max(found, key=lambda run: run["date"], default=None)


def change(old: dict, new: dict) -> dict[str, float]:
    """Return new over old, from the best to the worst case that the quartiles allow."""
    return {
        "low": new["low"] / old["high"],
        "median": new["median"] / old["median"],
        "high": new["high"] / old["low"],
    }


def verdict(ours: dict[str, float], others: list[dict[str, float]]) -> str:
    """Say whether a change of tvmgo is noticeable, even at its mildest, and not its rivals' too.

    What the rivals of a case went through as well is the machine's doing.
    """
    if ours["low"] > max([1 + NOTICEABLE, *(other["high"] for other in others)]):
        return "worse"
    if ours["high"] < min([1 - NOTICEABLE, *(other["low"] for other in others)]):
        return "better"
    return ""


def compare(old: dict, new: dict) -> list[str]:
    """Return a table of what each case of tvmgo costs now, by what it cost in an older run."""
    before = {(result["group"], result["name"]): result for result in old["results"]}
    lines = [f"tvmgo now / on {old['date']}, as the quartiles allow, and the same for its rivals"]
    for name, version in new["versions"].items():
        if old["versions"].get(name) != version:
            lines.append(f"other version: {name} {old['versions'].get(name)} then, {version} now")
    width = max(len(f"{result['group']}: {result['name']}") for result in new["results"])
    for result in new["results"]:
        title = f"{result['group']}: {result['name']}"
        earlier = before.pop((result["group"], result["name"]), None)
        if earlier is None:
            lines.append(f"{title:{width}}  new")
            continue
        changes = {
            name: change(earlier["rivals"][name], rival)
            for name, rival in result["rivals"].items()
            if name in earlier["rivals"]
        }
        ours, others = changes.pop("tvmgo"), list(changes.values())
        drift = ", ".join(f"{other['median']:.2f}" for other in others)
        lines.append(
            f"{title:{width}}  {ours['median']:.2f} ({ours['low']:.2f} to "
            f"{ours['high']:.2f})  {verdict(ours, others):6}  rivals {drift}"
        )
    lines += [f"{group}: {name}  gone" for group, name in before]
    for word in ("worse", "better"):
        count = sum(f"  {word}" in line for line in lines)
        lines.append(f"{count} of {len(new['results'])} cases {word}")
    return lines
