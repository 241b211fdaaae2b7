# SPDX-License-Identifier: Apache-2.0
"""The Python client itself: what it promises about ids, windows, leases, cursors and errors."""
import os
import signal
import threading
import time

import hoso_client
from hoso_client import LocalCell, TaskFailed

SITE = "000.00.13.H30"
DESK = {"by": "an", "role": "civil_servant"}


def dossier(n, **changes):
    return {"procedure": "1.999001", "channel": "post", "site": SITE, "by": "teller-07",
            "role": "postal_worker",
            "fields": {"full_name": f"Nguyễn Văn {n}", "phone": "0912345678",
                       "address": "Long Mỹ"},
            "papers": [{"id": "declaration", "kind": "original", "copies": 1}], **changes}


def classes(trial):
    class PythonClient(trial):
        def setUp(self):
            super().setUp()
            self.hoso_ = hoso_client.Connection(LocalCell(self.where["HOSO_RUN"]), timeout=30)

        def tearDown(self):
            self.hoso_.close()
            super().tearDown()

        def test_the_same_id_files_once_and_other_content_is_a_conflict(self):
            first = self.hoso_.submit(dossier(1), id="a-1")
            self.assertEqual(self.hoso_.submit(dossier(1), id="a-1"), first)
            with self.assertRaises(hoso_client.Conflict):
                self.hoso_.submit(dossier(2), id="a-1")
            self.assertEqual(len(list(self.hoso_.list(procedure="1.999001"))), 1)

        def test_errors_have_the_class_and_field_of_their_code(self):
            with self.assertRaises(hoso_client.NotFound):
                self.hoso_.get("000.00.13.H30-261123-0001")
            with self.assertRaises(hoso_client.Invalid) as caught:
                self.hoso_.submit(dossier(1, fields={"full_name": "A", "phone": "12",
                                                     "address": "B"}))
            self.assertIn("phone", caught.exception.field)
            with self.assertRaises(hoso_client.Invalid) as caught:
                self.hoso_.call("dossier_get", {"dosier": "x"})
            self.assertEqual(caught.exception.field, "body.dosier")

        def test_nobody_at_home_is_a_time_out_that_may_not_be_done(self):
            with hoso_client.Connection(LocalCell("/nonexistent"), timeout=0.2) as nobody:
                with self.assertRaisesRegex(hoso_client.Timeout, "cannot be reached") as caught:
                    nobody.submit(dossier(1), id="b-1")
            self.assertTrue(caught.exception.may_be_done)

        def test_a_window_is_never_overfilled_and_gives_every_answer_once(self):
            taken = 0

            def source():
                nonlocal taken
                for n in range(200):
                    taken += 1
                    changes = {"fields": {}} if n % 50 == 0 else {}
                    yield f"c-{n}", dossier(n, **changes)
            answered, refused = set(), 0
            for request_id, outcome in self.hoso_.submit_all(source(), window=16):
                answered.add(request_id)
                self.assertLessEqual(taken - len(answered) + 1, 17)
                if isinstance(outcome, hoso_client.Invalid):
                    refused += 1
                else:  # asked within the loop: the others' answers are not lost
                    self.hoso_.get(outcome["dossier"])
            self.assertEqual((len(answered), refused), (200, 4))
            self.assertEqual(len(list(self.hoso_.list(max=50))), 196)

        def test_a_request_outlives_the_death_of_its_service(self):
            pid = self.workers()[0]["pid"]
            os.kill(pid, signal.SIGKILL)
            self.assertTrue(self.hoso_.submit(dossier(1), id="d-1")["dossier"])
            self.assertEqual(self.hoso_.health("intake")["service"], "intake")

        def test_the_lease_is_kept_as_long_as_the_handler_runs(self):
            self.hoso_.submit(dossier(1))
            other = self.hoso_.again()

            def slow(task):
                time.sleep(4)
                self.assertEqual(other.fetch("verification.review", SITE, **DESK), [])
                self.assertFalse(task.lost)
                return {"verdict": "approve"}
            self.assertEqual(self.hoso_.work("verification.review", SITE, slow, lease_ms=1500,
                                             limit=1, **DESK), 1)
            other.close()
            self.until(lambda: self.hoso_.fetch("routing.handoff", "000.00.33.H30", by="x",
                                                role="agency"), "the next step has begun")

        def test_of_two_who_hold_a_task_only_one_completes_it(self):
            self.hoso_.submit(dossier(1))
            [first] = self.hoso_.fetch("verification.review", SITE, lease_ms=100, wait_ms=30000,
                                       **DESK)
            time.sleep(0.2)
            [second] = self.hoso_.fetch("verification.review", SITE, wait_ms=30000, **DESK)
            self.assertEqual(first["task"], second["task"])
            self.assertGreater(second["token"], first["token"])
            with self.assertRaises(hoso_client.Stale):
                self.hoso_.complete(first, {"verdict": "approve"}, by="an")
            self.hoso_.complete(second, {"verdict": "approve"}, by="an")
            self.hoso_.complete(second, {"verdict": "approve"}, by="an")  # the same answer again

        def test_a_failed_task_comes_again_and_a_wrong_result_fails_it(self):
            self.hoso_.submit(dossier(1))
            told, seen = [], []

            def clumsy(task):
                seen.append(task["attempt"])
                if len(seen) == 1:
                    raise TaskFailed("no paper in the printer", retry_ms=1)
                if len(seen) == 2:
                    raise KeyError("Nguyễn Văn A")  # must not reach the reason
                return {"verdict": "approve"}
            self.hoso_.work("verification.review", SITE, clumsy, limit=3, on_error=told.append,
                            **DESK)
            self.assertEqual(len(seen), 3)
            self.assertEqual([type(error) for error in told], [KeyError])
            self.assertNotIn("Văn", self.hoso("task", "list"))

        def test_a_loop_is_ended_from_outside(self):
            stop = threading.Event()
            threading.Timer(0.5, stop.set).start()
            self.assertEqual(self.hoso_.work("verification.review", SITE, dict, wait_ms=200,
                                             stop=stop, **DESK), 0)

        def test_a_cursor_goes_on_after_what_was_acknowledged(self):
            for n in range(5):
                self.hoso_.submit(dossier(n))
            seen = []
            for event in self.hoso_.journal("books", follow=False, max=2):
                seen.append(event["seq"])
                if len(seen) == 3:
                    break  # the program dies with the second page half done
            self.assertEqual(seen, [1, 2, 3])
            rest = [e["seq"] for e in self.hoso_.journal("books", after=3, follow=False, max=2)]
            self.assertEqual(rest[0], 4)
            self.assertEqual(rest, list(range(4, 4 + len(rest))))
            again = [e["seq"] for e in self.hoso_.journal("books", follow=False)]
            self.assertTrue(not again or again[0] > rest[-1])

    return [PythonClient]
