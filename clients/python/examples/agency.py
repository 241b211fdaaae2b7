#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An agency: takes dossiers over, decides, and gives each decision one number.

    agency.py AGENCY BOOK [TASKS]   ends after so many tasks; 0 = never

BOOK is the agency's own database. The task's number is the key in it: when the answer was lost, or
the program died after deciding, the next attempt finds the decision and gives no second number.
"""
import sqlite3
import sys

from hoso_client import TaskFailed, connect


def main(agency, book, tasks=0):
    db = sqlite3.connect(book)
    db.execute("CREATE TABLE IF NOT EXISTS decisions"
               " (number INTEGER PRIMARY KEY, task INTEGER UNIQUE, dossier TEXT)")

    def decide(task):
        try:
            with db:  # one transaction
                db.execute("INSERT OR IGNORE INTO decisions (task, dossier) VALUES (?, ?)",
                           (task["task"], task["dossier"]))
        except sqlite3.OperationalError as error:
            raise TaskFailed("the book cannot be written", retry_ms=5000) from error
        (number,) = db.execute("SELECT number FROM decisions WHERE task = ?",
                               (task["task"],)).fetchone()
        print(task["dossier"], number, flush=True)
        return {"decision": "approve", "number": f"{number}/QĐ-UBND"}

    with connect() as hoso:
        hoso.work("routing.handoff", agency, decide, by="agency-system", role="agency",
                  limit=int(tasks))


if __name__ == "__main__":
    main(*sys.argv[1:])
