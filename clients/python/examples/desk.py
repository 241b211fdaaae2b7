#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A desk: reviews the dossiers of one place of reception.

    desk.py SITE ROLE [TASKS]       ends after so many tasks; 0 = never

An official's decision would come from a screen; here a dossier with papers is approved, and one
without is asked to bring them.
"""
import sys

from hoso_client import connect


def main(site, role, tasks=0):
    with connect() as hoso:

        def review(task):
            dossier = hoso.get(task["dossier"], content=True)
            papers = dossier["content"].get("papers") or []
            print(task["dossier"], dossier["procedure"], f"{len(papers)} papers", flush=True)
            if papers:
                return {"verdict": "approve"}
            return {"verdict": "supplement", "reason": "no papers", "items": []}

        # An official reads for minutes: the lease is kept as long as review() runs.
        hoso.work("verification.review", site, review, by=f"{role}-01", role=role,
                  limit=int(tasks))


if __name__ == "__main__":
    main(*sys.argv[1:])
