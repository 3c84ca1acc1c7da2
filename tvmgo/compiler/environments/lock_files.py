# SPDX-License-Identifier: Apache-2.0
"""The files that say, for a compiler, a Python and a platform, which wheels to install.

``python -m release.compiler_locks`` writes them, in pip's language.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"


def lock_path(kind: str, tag: str, platform: str) -> Path:
    return LOCKS / f"{kind}-{tag}-{platform}.txt"


def locks_of(kind: str, platform: str) -> dict[str, Path]:
    """Return a compiler's lock files for a platform by the tag of their Python, newest first."""
    found = {path.stem.split("-")[1]: path for path in LOCKS.glob(f"{kind}-*-{platform}.txt")}
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0]), reverse=True))


def environment_name(lock: Path) -> str:
    """Return the name of an environment that was made from a lock file, and from no other."""
    _, _, what = lock.stem.partition("-")
    return f"{what}-{sha256(lock.read_bytes()).hexdigest()[:12]}"
