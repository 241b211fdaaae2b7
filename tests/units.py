#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd units: well formed, and as closed as promised.

    tests/units.py UNIT-FOLDER SOURCE-FOLDER
"""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

UNITS, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
WORKERS = ("intake", "verification", "routing", "notification", "return")
# Without any network, as the workers; and those who have to reach, or be reached by, others.
INSIDE = WORKERS + ("folder", "archive")
OUTSIDE = ("gate", "bridge", "portal", "courier", "relay", "metrics")
OPENS_NO_STORE = ("gate", "bridge", "portal", "courier", "folder")


def exposure(unit):
    """What systemd-analyze says of a unit, 0 (closed) to 10."""
    said = subprocess.run(["systemd-analyze", "security", "--offline=true", str(UNITS / unit)],
                          capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"exposure level for .*: ([0-9.]+)", said.stdout)
    assert found, said.stdout + said.stderr
    return float(found.group(1))


class Units(unittest.TestCase):
    def test_every_program_has_a_unit(self):
        units = {unit.name for unit in UNITS.glob("hoso-*@.service")}
        programs = re.findall(r"'hoso-(\w+)'", (SOURCE / "services" / "meson.build").read_text())
        for name in set(programs) - {"services", "adapter", "command"} | set(WORKERS):
            self.assertIn(f"hoso-{name}@.service", units)

    def test_workers_and_others_without_network_are_closed(self):
        for name in INSIDE:
            self.assertLessEqual(exposure(f"hoso-{name}@.service"), 0.5, name)

    def test_those_with_a_network_are_closed_but_for_it(self):
        for name in OUTSIDE:
            self.assertLessEqual(exposure(f"hoso-{name}@.service"), 1.2, name)

    def test_who_opens_no_store_cannot_see_it(self):
        for name in OPENS_NO_STORE:
            text = (UNITS / f"hoso-{name}@.service").read_text(encoding="utf-8")
            self.assertRegex(text, r"InaccessiblePaths=.*%i/store", name)

    def test_a_station_starts_no_workers(self):
        for name in WORKERS:
            text = (UNITS / f"hoso-{name}@.service").read_text(encoding="utf-8")
            self.assertIn("ConditionPathExists=!/var/lib/hoso/%i/relay.cfg\n", text)

    def test_each_start_of_a_cell_prepares_it_again(self):
        text = (UNITS / "hoso-prepare@.service").read_text(encoding="utf-8")
        self.assertIn("PartOf=hoso@%i.target\n", text)
        self.assertIn("prepare-cell --start ", text)

    def test_every_name_is_filled_in(self):
        for unit in UNITS.glob("*@.*"):
            self.assertNotRegex(unit.read_text(encoding="utf-8"), r"@[A-Z]+@", unit.name)

    def test_no_unit_has_a_key_that_systemd_does_not_know(self):
        names = [str(unit) for unit in UNITS.glob("*@.service")]
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", *names],
                              capture_output=True, text=True, timeout=60, check=False)
        bad = [line for line in said.stderr.splitlines()
               if "Unknown" in line or "Failed to parse" in line or "Invalid" in line]
        self.assertEqual(bad, [])

    def test_the_filter_of_calls_lets_them_enter_their_sandbox_and_start_threads(self):
        wanted = {"seccomp", "landlock_create_ruleset", "landlock_add_rule",
                  "landlock_restrict_self", "sched_setscheduler"}
        for name in INSIDE + OUTSIDE:
            text = (UNITS / f"hoso-{name}@.service").read_text(encoding="utf-8")
            after = text.split("SystemCallFilter=~", 1)[1]  # a later line gives back
            given = " ".join(re.findall(r"(?m)^SystemCallFilter=([a-z].*)$", after)).split()
            self.assertLessEqual(wanted, set(given), name)

    def test_who_reads_strangers_bytes_is_another_user(self):
        for name in ("gate", "bridge"):
            text = (UNITS / f"hoso-{name}@.service").read_text(encoding="utf-8")
            self.assertIn("User=hoso-gate\n", text)

    def test_the_target_wants_the_five_workers(self):
        text = (UNITS / "hoso@.target").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"Wants=hoso-(\w+)@%i", text), list(WORKERS))

    def test_preparing_wants_a_cell(self):
        script = str(SOURCE / "systemd" / "prepare-cell")
        for args in ([], ["/nowhere"]):
            said = subprocess.run(["/bin/sh", script, *args], capture_output=True, text=True,
                                  timeout=10, check=False)
            self.assertEqual(said.returncode, 2)
            self.assertIn("hoso init makes one", said.stderr)


if __name__ == "__main__":
    if shutil.which("systemd-analyze") is None:
        print("skipped: systemd-analyze is not installed")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
