#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The alert rules: each fires in its bad state, not before its time, and never in a good one.

    tests/integration/alerts.py SOURCE

promtool evaluates the rules over made-up series, a value a minute.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1])
RULES = SOURCE / "scripts" / "monitoring" / "alerts.yml"
ALL = 'job="hoso",instance="vi-thanh"'

# A cell at work in which nothing is wrong.
GOOD = {
    'up{%s}': "1x500",
    'hoso_worker_up{%s,service="intake"}': "1x500",
    'hoso_process_up{%s,process="gate"}': "1x500",
    'hoso_worker_start_time_seconds{%s,service="intake"}': "1700000000x500",
    'hoso_queue_delay_seconds{%s,service="routing"}': "0 1 0 2x497",
    'hoso_queue_out_total{%s,service="routing"}': "0+30x500",
    'hoso_queue_oldest_seconds{%s,service="routing"}': "10x500",
    'hoso_dead_letters{%s,service="notification"}': "0x500",
    'hoso_dossiers{%s,state="open"}': "1000x500",
    'hoso_dossiers{%s,state="closed"}': "9000x500",
    'hoso_dossiers_overdue{%s}': "20x500",
    'hoso_intake_stopped{%s}': "0x500",
    'hoso_store_used_bytes{%s}': "1000000+10x500",
    'hoso_store_stop_bytes{%s}': "13000000000x500",
    'hoso_disk_free_bytes{%s}': "80000000000x500",
    'hoso_disk_floor_bytes{%s}': "67108864x500",
    'hoso_store_oldest_reader_transactions{%s}': "0x500",
    'hoso_subscriber_age_seconds{%s,subscriber="portal"}': "30x500",
    'hoso_gate_refused_total{%s}': "0+2x500",
    'hoso_gate_unknown_keys_total{%s}': "0x500",
    'hoso_bridge_refused_total{%s}': "0+2x500",
    'hoso_worker_commit_duration_seconds_bucket{%s,service="intake",le="0.1"}': "0+600x500",
    'hoso_worker_commit_duration_seconds_bucket{%s,service="intake",le="1"}': "0+601x500",
    'hoso_worker_commit_duration_seconds_bucket{%s,service="intake",le="+Inf"}': "0+601x500",
    'hoso_worker_errors_total{%s,service="intake",code="io"}': "0x500",
    'hoso_worker_errors_total{%s,service="intake",code="not_found"}': "0+5x500",
    'hoso_archive_lag_seconds{%s}': "1x500",
    'hoso_station_oldest_seconds{%s}': "600x500",
    'hoso_station_refused{%s}': "0x500",
    'hoso_station_numbers{%s}': "400x500",
}

# What is otherwise, the minute at which the alert does not fire yet, and one at which it does.
BAD = {
    "HosoUnreachable": ({'up{%s}': "1x9 0x90"}, 11, 13),
    "HosoWorkerDown": ({'hoso_worker_up{%s,service="intake"}': "1x9 0x90"}, 10, 12),
    "HosoProcessDown": ({'hoso_process_up{%s,process="gate"}': "1x9 0x90"}, 11, 13),
    "HosoWorkerRestarts": (
        {'hoso_worker_start_time_seconds{%s,service="intake"}': "1x9 2 3 4 5 6x90"}, 11, 14),
    "HosoQueueStuck": ({'hoso_queue_delay_seconds{%s,service="routing"}': "0x9 60+60x90",
                        'hoso_queue_out_total{%s,service="routing"}': "0+30x9 300x90"}, 12, 18),
    "HosoQueueOld": ({'hoso_queue_oldest_seconds{%s,service="routing"}': "10x9 1900+60x90"}, 13, 16),
    "HosoDeadLetters": ({'hoso_dead_letters{%s,service="notification"}': "0x9 1x90"}, 13, 16),
    "HosoOverdue": ({'hoso_dossiers_overdue{%s}': "20x9 60x300"}, 65, 71),
    "HosoIntakeStopped": ({'hoso_intake_stopped{%s}': "0x9 1x90"}, 10, 12),
    "HosoStoreFilling": ({'hoso_store_used_bytes{%s}': "11500000000x300"}, 50, 61),
    "HosoDiskLow": ({'hoso_disk_free_bytes{%s}': "100000000x90"}, 4, 6),
    "HosoOldReader": ({'hoso_store_oldest_reader_transactions{%s}': "0x9 200000x90"}, 18, 21),
    "HosoSubscriberLag": (
        {'hoso_subscriber_age_seconds{%s,subscriber="portal"}': "30x9 3700+60x90"}, 18, 21),
    "HosoAdapterAway": ({'hoso_portal_away{%s}': "0x9 1x90"}, 38, 41),
    "HosoGateRefusals": ({'hoso_gate_refused_total{%s}': "0+120x90"}, 9, 13),
    "HosoCommitSlow": (
        {'hoso_worker_commit_duration_seconds_bucket{%s,service="intake",le="0.1"}': "0+300x90"},
        9, 13),
    "HosoTrouble": ({'hoso_worker_errors_total{%s,service="intake",code="io"}': "0x9 1x90"}, 8, 12),
    "HosoStationWaits": ({'hoso_station_oldest_seconds{%s}': "600x9 87000+60x90"}, 18, 21),
    "HosoStationRefused": ({'hoso_station_refused{%s}': "0x9 1x90"}, 13, 16),
    "HosoStationNumbers": ({'hoso_station_numbers{%s}': "400x9 90x90"}, 18, 21),
    "HosoArchiveBehind": ({'hoso_archive_lag_seconds{%s}': "1x9 400x90"}, 13, 16),
}
# The store that will be full in some days, by how it grew.
FILLS = {'hoso_store_used_bytes{%s}': "1000000000+3000000x500"}


def case(alert, changed, minute, fires):
    series = {**GOOD, **changed}
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else []
    return {"interval": "1m",
            "input_series": [{"series": name % ALL, "values": values}
                             for name, values in series.items()],
            "promql_expr_test": [{
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m", "exp_samples": samples}]}


class Alerts(unittest.TestCase):
    def promtool(self, cases):
        with tempfile.TemporaryDirectory(prefix="hoso-alerts-") as folder:
            path = pathlib.Path(folder, "cases.yml")  # JSON is YAML
            path.write_text(json.dumps({"rule_files": [str(RULES.resolve())],
                                        "evaluation_interval": "1m", "tests": cases}),
                            encoding="utf-8")
            done = subprocess.run(["promtool", "test", "rules", str(path)], text=True,
                                  capture_output=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def test_every_alert_is_tried(self):
        names = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
        self.assertEqual(sorted(names), sorted(BAD))

    def test_the_rules_are_well_formed(self):
        done = subprocess.run(["promtool", "check", "rules", str(RULES)], text=True,
                              capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_none_fires_while_all_is_well(self):
        code, said = self.promtool([case("", {}, minute, False) for minute in (10, 100, 400)])
        self.assertEqual(code, 0, said)

    def test_each_fires_alone_in_its_bad_state_and_not_before_its_time(self):
        for alert, (changed, before, after) in BAD.items():
            with self.subTest(alert):
                code, said = self.promtool([case(alert, changed, before, False),
                                            case(alert, changed, after, True)])
                self.assertEqual(code, 0, said)

    def test_a_store_that_will_be_full_in_days_is_told_early(self):
        code, said = self.promtool([case("HosoStoreFilling", FILLS, 400, True)])
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
