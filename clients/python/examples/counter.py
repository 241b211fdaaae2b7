#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A counter: files every dossier that lies in a folder, once each.

    counter.py FOLDER [COUNTER]

NAME.json holds a dossier (the body of dossier_submit). When it is filed, NAME.answer holds what
the service said; when it is refused, NAME.refused says why. Kill it at any moment and start it
again: the id is made of the counter and the file's name, so nothing is filed twice.
"""
import json
import os
import pathlib
import sys

from hoso_client import HosoError, connect


def waiting(folder, counter):
    for path in sorted(folder.glob("*.json")):
        if not path.with_suffix(".answer").exists():
            yield f"{counter}-{path.stem}", json.loads(path.read_text(encoding="utf-8"))


def keep(path, text):
    """Whole or not at all, also through a power cut."""
    new = path.with_name(path.name + ".new")
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)


def main(folder, counter="counter-7"):
    folder = pathlib.Path(folder)
    failed = 0
    with connect() as hoso:
        for request_id, outcome in hoso.submit_all(waiting(folder, counter), window=64):
            path = folder / request_id.removeprefix(f"{counter}-")
            if not isinstance(outcome, HosoError):
                keep(path.with_name(path.name + ".answer"), json.dumps(outcome))
                print(path.name, outcome["dossier"])
            elif outcome.action == "refuse":
                keep(path.with_name(path.name + ".refused"), f"{outcome.field}: {outcome}\n")
                failed += 1
            else:  # perhaps filed: the next run asks again with the same id
                failed += 1
                print(path.name, outcome, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
