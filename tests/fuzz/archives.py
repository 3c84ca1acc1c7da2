# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.fuzz.archives``: keep what a long run guided by coverage has found.

Inputs that once led to code that no other input had reached lie in ``learned/``, one archive for
each parser, and are unpacked before each run. This adds those that ``python -m tests.fuzz
--coverage-guided`` has found since; the changed archives are to be committed.
"""

import argparse
import shutil
import zipfile
from pathlib import Path

ARCHIVES = Path(__file__).parent / "learned"
CACHE = Path(__file__).parents[2] / ".cache" / "fuzz"
ANY_TIME = (1980, 1, 1, 0, 0, 0)  # the same inputs make the same archive


def unpack(directory):
    """Write the archived inputs: one folder for each parser, with nothing else in it."""
    shutil.rmtree(directory, ignore_errors=True)
    for path in sorted(ARCHIVES.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(directory / path.stem)


def pack(path, folders):
    """Make an archive of all inputs in these folders and return how many they are."""
    inputs = {file.name: file.read_bytes() for folder in folders for file in folder.glob("*")}
    # Not compressed: the result would depend on the library, and Git compresses anyhow.
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(inputs.items()):
            archive.writestr(zipfile.ZipInfo(name, ANY_TIME), content)
    return len(inputs)


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.archives", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, default=CACHE, help="of the long run (default: %(default)s)"
    )
    directory = parser.parse_args().directory
    unpack(directory / "learned")
    for path in sorted(ARCHIVES.glob("*.zip")):
        count = pack(path, [directory / "learned" / path.stem, directory / "found" / path.stem])
        print(f"{path.stem}: {count} inputs")


if __name__ == "__main__":
    main()
