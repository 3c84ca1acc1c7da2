# SPDX-License-Identifier: Apache-2.0
"""docs/reports/operators.md: what comes of the suite's cases."""

import re
from collections import Counter, defaultdict
from importlib.metadata import version

ORDER = ("right", "wrong", "refused", "error", "crash", "time-out")
PACKAGES = ("onnx", "onnxruntime", "apache-tvm")
# Classes of reasons: the first whose pattern is found.
CLASSES = {
    "data decide a shape, or a branch": r"known only at run time|computed at run time|chooses its branch|data decide",
    "not whole bytes": r"no element type '(u?int[24]|float4)",
    "no such operator in the normal opset": r"opset 18 has no such operator",
    "not ONNX's own domain": r"its domain is",
    "importer has no such operator": r"not supported for frontend",
    "a constant is needed": r"give a constant there|only constant|is currently unsupported",
    "importer would ignore something": r"importer would ignore",
}
HEAD = """# ONNX operators

What `tvmgo.compiler.export` makes of the cases of ONNX's own backend suite: single nodes, and models that PyTorch
once wrote. `make operators` writes this page. Results are compared with those that the suite expects, by its
tolerance of 1e-3 for float32. A case takes tensors of numbers and is not of training; the others are left out.

Shapes, axes and the like, which cases pass when a model runs, are constants: small inputs of integers but the
first; where that is refused all small inputs but the first, and then all. Verification is switched off, and tried
on what is wrong.

Written with {versions}.
"""


def page(cases, found):
    """Return the page; `found` has rows by case by compiler."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    parts = [HEAD.format(versions=versions)]
    for compiler in sorted(found):
        rows = {name: row for name, row in found[compiler].items() if name in cases}
        parts += [
            f'## compiler="{compiler}"\n',
            summary(rows, len(cases)),
            groups(cases, rows),
            problems(rows),
        ]
    return "\n".join(parts)


def summary(rows, cases):
    total = Counter(row["result"] for row in rows.values())
    share = 100 * total["right"] / max(len(rows), 1)
    counts = ", ".join(f"{total[each]} {each}" for each in ORDER if total[each])
    tried = f"{len(rows)} cases" if len(rows) == cases else f"{len(rows)} of {cases} cases"
    return f"{tried}: {counts}. {share:.1f} % are right.\n"


def groups(cases, rows):
    lines = ["| operator | right | not right | reasons |", "| --- | --- | --- | --- |"]
    grouped = defaultdict(list)
    for name, row in rows.items():
        grouped[group_of(cases, name)].append(row)
    for group in sorted(grouped):
        others = [row for row in grouped[group] if row["result"] != "right"]
        reasons = Counter(f"{row['result']}: {class_of(row)}" for row in others)
        said = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
        lines.append(
            f"| {group} | {len(grouped[group]) - len(others)} | {len(others) or ''} | {said} |"
        )
    return "\n".join(lines) + "\n"


def problems(rows):
    lines = ["What is neither right nor refused:\n"]
    for name, row in sorted(rows.items()):
        if row["result"] not in ("right", "refused"):
            caught = "; verification finds it" if row["caught"] else ""
            lines.append(f"- {name}, {row['result']}: {shortened(row['reason'])}{caught}")
    return "\n".join(lines if len(lines) > 1 else ["Nothing is wrong, fails or hangs."]) + "\n"


def group_of(cases, name):
    """Return the operator that a case is about; one that is expanded is where its original is."""
    original = re.sub(r"_expanded(_ver\d+|_function.*)?$", "", name)
    case = cases.get(original, cases[name])
    return case.operator or "(several)"


def class_of(row):
    for name, pattern in CLASSES.items():
        if re.search(pattern, row["reason"]):
            return name
    if row["result"] == "wrong":
        return "a difference"
    return shortened(row["reason"])


def shortened(text):
    words = " ".join(text.replace("|", "/").split())
    return words if len(words) <= 100 else words[:100] + " ..."
