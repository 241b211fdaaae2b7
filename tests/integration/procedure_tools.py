#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs on definitions and exports.

    tests/integration/procedure_tools.py HOSO CONFIG PROCEDURES

No worker runs: dossiers are not needed to look at definitions, and the exports are tried on a cell
whose journal comes from a short run of the workers.
"""
import csv
import io
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV
import xml.etree.ElementTree as xml

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
PILOT = os.path.join(PROCEDURES, "1.004873-marital-status.cfg")
XES = "{http://www.xes-standard.org/}"
PATIENCE = 20

DOSSIER = {
    "procedure": "1.004873", "channel": "post", "site": "000.00.13.H30",
    "by": "teller <7> & \"co\"", "role": "postal_worker",
    "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "post", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage",
               "address": "12 Trần Hưng Đạo, Long Mỹ"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}


class Tools(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="hoso-")
        self.supervisor = None

    def tearDown(self):
        if self.supervisor is not None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(timeout=PATIENCE)
            self.supervisor.stdout.close()
        shutil.rmtree(self.folder)

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            pathlib.Path(path).write_text(text, encoding="utf-8")
        return path

    def hoso(self, *words, expect=0, given=None, path=None):
        env = dict(ENV)
        if path is not None:
            env["PATH"] = path
        done = subprocess.run([HOSO, *words], input=given, env=env, cwd=self.folder, text=True,
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, f"{words}: {done.stdout}{done.stderr}")
        self.warnings = done.stderr
        return done.stdout if expect in (0, 1) and done.stdout else done.stderr

    def at(self, *words, **how):
        return self.hoso(*words, "--config-from", CONFIG, **how)


class Definitions(Tools):
    def test_a_new_definition_is_sound_and_walks_to_its_ends(self):
        self.hoso("procedure", "new", "1.009999", "--title-vi", 'Tên "mới"', "--title-en", "New",
                  "--output", "new.cfg")
        self.assertIn("sound", self.at("procedure", "check", "new.cfg"))
        self.assertEqual(self.warnings, "")
        told = json.loads(self.at("procedure", "simulate", "new.cfg", "--random", "500", "--json"))
        self.assertEqual((told["stuck"], told["with_errors"]), (0, 0))
        self.assertLessEqual({"approved", "refused", "withdrawn", "lapsed"}, set(told["outcomes"]))

    def test_a_new_definition_needs_a_code_that_can_be_one(self):
        self.assertIn("code", self.hoso("procedure", "new", "../x", expect=1))

    def test_the_example_of_the_manual_is_sound(self):
        manual = pathlib.Path(PROCEDURES).parent / "docs" / "procedures.md"
        text = manual.read_text(encoding="utf-8")
        example = text[text.index("```\nprocedure:") + 4:]
        path = self.path("example.cfg", example[:example.index("```")])
        self.at("procedure", "check", path)
        self.assertEqual(self.warnings, "")
        self.at("procedure", "simulate", path, "--random", "100")

    def test_drawings_are_graphviz_text(self):
        text = self.at("procedure", "graph", PILOT, "--lang", "vi")
        self.assertTrue(text.startswith('digraph "1.004873" {'))
        self.assertIn("subgraph \"cluster_active\"", text)
        self.assertIn("Thẩm định", text)

    def test_svg_without_graphviz_is_told_and_leaves_no_file(self):
        said = self.at("procedure", "graph", PILOT, "--svg", "--output", "x.svg", path="/nowhere",
                       expect=3)
        self.assertIn("Graphviz is not installed", said)
        self.assertFalse(os.path.exists(self.path("x.svg")))

    def fake_dot(self, script):
        dot = self.path("dot", "#!/bin/sh\n" + script)
        os.chmod(dot, os.stat(dot).st_mode | stat.S_IXUSR)
        return self.folder + ":/usr/bin:/bin"

    def test_svg_comes_from_graphviz(self):
        path = self.fake_dot('echo "<svg $*>"; head -n 1\n')
        told = self.at("procedure", "graph", PILOT, "--svg", path=path)
        self.assertEqual(told, '<svg -Tsvg>\ndigraph "1.004873" {\n')

    def test_a_graphviz_that_fails_is_told(self):
        path = self.fake_dot("exit 3\n")
        self.assertIn("could not draw", self.at("procedure", "graph", PILOT, "--svg", path=path,
                                                expect=1))

    def test_pages_are_in_both_languages(self):
        self.assertIn("Thời hạn giải quyết   3 ngày làm việc",
                      self.at("procedure", "explain", PILOT, "--lang", "vi"))
        self.assertIn("Looked at and decided (Specialist)",
                      self.at("procedure", "explain", PILOT))

    def test_differences_are_told_in_lines_json_and_exit_code(self):
        text = pathlib.Path(PILOT).read_text(encoding="utf-8")
        other = self.path("other.cfg", text.replace("fee = 15000", "fee = 20000"))
        self.assertEqual(self.at("procedure", "diff", PILOT, PILOT), "")
        self.assertEqual(self.at("procedure", "diff", PILOT, other, expect=1),
                         "~ setting fee: 15000 -> 20000\n")
        changes = json.loads(self.at("procedure", "diff", PILOT, other, "--json", expect=1))
        self.assertEqual(changes["changes"], [{"what": "setting", "id": "procedure",
                                               "change": "changed", "member": "fee",
                                               "from": "15000", "to": "20000"}])

    def test_an_unsound_definition_is_not_shown(self):
        bad = self.path("bad.cfg", "procedure: { code = \"1.000001\"; };\n")
        self.assertIn("bad.cfg:1:", self.at("procedure", "explain", bad, expect=2))


class Walks(Tools):
    def walk(self, events, expect=0, *more):
        return json.loads(self.at("procedure", "simulate", PILOT, "--events", "-", "--json", *more,
                                  given=json.dumps(events), expect=expect))

    def test_a_script_leads_to_its_end(self):
        told = self.walk({"start": "2026-12-01T09:00", "events": [
            {"event": "done.invoke.accept", "data": {"verdict": "refuse", "reason": "x"}}]})
        self.assertEqual((told["done"], told["outcome"], told["status"]), (True, "refused", 3))
        self.assertEqual([row["event"] for row in told["trace"]],
                         ["submit", "done.invoke.register", "done.invoke.check",
                          "done.invoke.accept", "done.invoke.archive"])

    def test_a_walk_without_end_says_what_it_waits_for(self):
        told = self.walk([{"event": "withdraw", "after": "2 working hours"}], expect=1)
        self.assertFalse(told["done"])
        self.assertIn({"kind": "activity", "id": "withdrawal", "activity": "verification.review",
                       "role": "head"}, told["waits_for"])

    def test_an_event_out_of_place_is_named(self):
        told = self.walk([{"event": "done.invoke.sign"}], expect=1)
        self.assertIn("events[0]", told["problem"])

    def test_a_script_with_a_misspelt_key_is_refused(self):
        said = self.at("procedure", "simulate", PILOT, "--events", "-", expect=2,
                       given='{"evnets": []}')
        self.assertIn("nothing else", said)

    def test_a_walk_is_due_by_the_hours_of_its_site(self):
        def due(*more, expect=0):
            told = self.walk({"start": "2026-11-28T09:10", "events": [
                {"event": "done.invoke.accept", "data": {"verdict": "refuse", "reason": "x"}}]},
                expect, *more)
            return told["trace"][1]["due"]
        self.assertLess(due("--site", "000.01.14.H30"), due("--site", "000.00.13.H30"))
        self.assertEqual(due("--site", "000.00.13.H30"), due())
        said = self.at("procedure", "simulate", PILOT, "--site", "1.2", expect=2)
        self.assertIn("1.2 is not in sites.cfg", said)

    def test_the_trace_is_readable_and_the_same_for_the_same_seed(self):
        first = self.at("procedure", "simulate", PILOT, "--seed", "2", "--lang", "vi")
        self.assertIn("hạn trả", first)
        self.assertEqual(first, self.at("procedure", "simulate", PILOT, "--seed", "2",
                                        "--lang", "vi"))
        self.assertNotEqual(first, self.at("procedure", "simulate", PILOT, "--seed", "3",
                                           "--lang", "vi"))


# Every element that a chart can have, for the way to SCXML and back.
EVERYTHING = r"""
procedure: {
  code = "1.000001"; version = 1; title = { vi = "T \"x\" <&> \\"; en = "T"; };
  level = "commune"; channels = [ "post" ]; time_limit = "3 working days"; fee = 5000000000L;
  data: { n = 0; total = 0; half = 0.5; five = 5.0; less = -0.1; items = ( 10, 20 ); none = ( ); word = "it's"; on = true;
          person = { phone = "0912345678"; deep = ( { a = 1; } ); }; sum = "=n + 1"; };
  initial = { target = "a"; do = ( { log = "'begin'"; } ); };
  states: {
    a: {
      status = 1; deadline = "2 working days"; clock = "running"; note = "N";
      title = { vi = "Á & <b>"; en = "A"; };
      initial = { target = "inner"; do = ( { assign = "n"; expr = "n + 1"; } ); };
      entry = (
        { assign = "person.phone"; expr = "null"; },
        { raise = "checked"; data = { count = "=n"; list = [ 1, 2 ]; }; },
        { raise = "bare"; },
        { send = "remind"; delay = "3 working days"; id = "reminder"; data = { n = 1; }; },
        { send = "now"; },
        { send = "soon"; delay = "=concat(text(n), ' s')"; id = "=concat('x', text(n))"; },
        { send = "notification.send"; template = "ready"; channel = "sms"; },
        { cancel = "reminder"; },
        { cancel = "=concat('x', text(n))"; },
        { log = "concat('n is ', n)"; label = "count"; },
        { extend = "5 working days"; },
        { if = "n == 1 and n < 2"; do = ( { log = "'one'"; } );
          elseif = ( { cond = "n == 2"; do = ( { log = "'two'"; } ); },
                     { cond = "n == 3"; } );
          else = ( { log = "'many'"; }, { if = "on"; do = ( { log = "'on'"; } ); } ); },
        { foreach = "items"; item = "x"; index = "i";
          do = ( { assign = "total"; expr = "total + x * i"; } ); }
      );
      exit = ( { log = "total"; } );
      invoke = ( { activity = "verification.review"; id = "check"; role = "head";
                   subject = "it's \"so\""; },
                 { activity = "return.collect_fee"; id = "fee"; amount = "=n * 2"; } );
      on = ( { event = "done.invoke.check done.invoke.fee error"; target = "p"; },
             { event = "deadline.a"; cond = "has(_event.data)"; do = ( { log = "1"; } ); },
             { event = "deadline.a"; target = [ "x2", "y2" ]; },
             { event = "withdraw"; target = "inner"; type = "internal";
               roles = [ "citizen", "head" ]; channels = [ "post" ]; },
             { event = "overdue checked bare"; do = ( { log = "2"; } ); } );
      states: { inner: { always = ( { cond = "n > 100"; target = "h"; } ); };
                h: { type = "history"; default = { target = "inner"; do = ( { log = "3"; } ); }; }; };
    };
    p: {
      type = "parallel"; status = 2;
      on = ( { event = "done.state.p overdue"; target = "end"; } );
      states: {
        x: { initial = "x2"; states: {
          x1: { on = ( { event = "go overdue"; target = "x2"; } ); };
          x2: { on = ( { event = "back"; target = "x1"; }, { event = "go"; target = "x3"; } ); };
          x3: { type = "final"; done = { data = { sum = "=n"; parts = [ 1, 2 ]; }; }; };
          x4: { type = "deep_history"; default = "x2"; }; }; };
        y: { states: { y2: { on = ( { event = "go"; target = "y3"; },
                                    { event = "last"; target = "x4"; } ); };
                       y3: { type = "final"; done = { data = "=n"; }; }; }; };
      };
    };
    end: { type = "final"; status = 4; outcome = "approved"; done = { data = [ "a", "b" ]; }; };
  };
};
"""


class Scxml(Tools):
    def test_every_element_comes_back_as_it_went_out(self):
        path = self.path("all.cfg", EVERYTHING)
        self.at("export", "procedure", path, "--output", "x.scxml")
        xml.parse(self.path("x.scxml"))
        self.hoso("procedure", "import", "x.scxml", "--output", "x.cfg")
        self.assertEqual(self.at("procedure", "diff", path, "x.cfg"), "")

    def test_every_definition_comes_back_as_it_went_out(self):
        for path in sorted(pathlib.Path(PROCEDURES).glob("*.cfg")):
            self.at("export", "procedure", str(path), "--format", "scxml", "--output", "x.scxml")
            xml.parse(self.path("x.scxml"))
            self.hoso("procedure", "import", "x.scxml", "--output", "x.cfg")
            self.assertEqual(self.at("procedure", "diff", str(path), "x.cfg"), "")

    DOCUMENT = """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" initial="a">
<state id="a">%s
<transition event="go" target="b"/></state>
<final id="b"/></scxml>
"""

    def refused(self, content, *parts):
        self.path("x.scxml", self.DOCUMENT % content)
        said = self.hoso("procedure", "import", "x.scxml", expect=2)
        for part in parts:
            self.assertIn(part, said)

    def test_what_cannot_be_said_is_refused_with_its_line(self):
        self.refused("\n<onentry>\n<script>x()</script></onentry>", "x.scxml:4:", "<script>")
        self.refused("<invoke type='a.b' src='x'/>", "x.scxml:2:", "attribute src")
        self.refused("<onentry><assign location='x'>1</assign></onentry>", "without expr")
        self.refused("<onentry><send event='x' target='#_parent'/></onentry>", "attribute target")
        self.refused("<state id='a.b'/>", "a.b", "rename")
        for delay in ("nans", "-1s", "1e300s", "5"):
            self.refused("<onentry><send event='x' delay='%s'/></onentry>" % delay, delay, "no time")

    def test_a_chart_of_another_tool_becomes_a_definition_to_be_filled_in(self):
        self.path("x.scxml", self.DOCUMENT %
                  "<onentry><send event='go' delay='1.5s'/>"
                  "<if cond='x == 1'><raise event='p'/><elseif cond='x == 2'/>"
                  "<log expr=\"'q'\"/><else/><cancel sendid='z'/></if></onentry>")
        text = self.hoso("procedure", "import", "x.scxml")
        for part in ('delay = "1500 ms";', 'if = "x == 1";', 'elseif = (', 'cancel = "z";',
                     "DECIDE", 'initial = "a";'):
            self.assertIn(part, text)

    def test_documents_that_are_none_are_refused(self):
        for text, part in (("<scxml", "no XML"), ("<a/>", "<scxml>"),
                           ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "DOCTYPE")):
            self.path("x.scxml", text)
            self.assertIn(part, self.hoso("procedure", "import", "x.scxml", expect=2))


class Exports(Tools):
    def setUp(self):
        super().setUp()
        self.cell = self.path("cell")
        self.hoso("init", self.cell, "--config-from", CONFIG, "--procedures", PROCEDURES)

    def cell_hoso(self, *words, **how):
        return self.hoso(*words, "--cell", self.cell, **how)

    def run_one_dossier(self):
        with open(self.path("log"), "w", encoding="utf-8") as log:
            self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.cell], text=True,
                                               stdout=subprocess.PIPE, stderr=log)
        self.assertIn("is ready", self.supervisor.stdout.readline())
        for by, role in (("teller <7> & \"co\"", "postal_worker"), ("0912345678", "citizen")):
            answer = json.loads(self.cell_hoso("submit", "-", "--json", given=json.dumps(
                {**DOSSIER, "by": by, "role": role,
                 "channel": "online" if role == "citizen" else "post"})))
        end = time.monotonic() + PATIENCE
        while "accept" not in self.cell_hoso("list", "--state", "accept", "--json"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        return answer["dossier"]

    def test_installed_definitions_go_by_their_code(self):
        self.assertIn("1.004873", self.cell_hoso("procedure", "graph", "1.004873"))
        self.assertEqual(self.cell_hoso("procedure", "diff", "1.004873@1", PILOT), "")
        self.assertIn("neither a file", self.cell_hoso("procedure", "explain", "9.999999", expect=3))
        self.assertIn("version is written", self.cell_hoso("procedure", "explain", "1.004873@x",
                                                           expect=2))

    def test_an_empty_journal_is_an_empty_log(self):
        log = xml.fromstring(self.cell_hoso("export", "journal"))
        self.assertEqual(log.tag, XES + "log")
        self.assertEqual(log.findall(XES + "trace"), [])
        self.assertEqual(len(self.cell_hoso("export", "journal", "--format", "csv").splitlines()), 1)

    def test_the_journal_goes_out_without_personal_data(self):
        self.run_one_dossier()
        text = self.cell_hoso("export", "journal", "--format", "xes")
        traces = xml.fromstring(text).findall(XES + "trace")
        self.assertEqual(len(traces), 2)
        keys = {a.get("key"): a.get("value") for a in traces[0]}
        self.assertEqual((keys["procedure"], keys["channel"], keys["site"]),
                         ("1.004873", "post", "000.00.13.H30"))
        events = [{a.get("key"): a.get("value") for a in e}
                  for e in traces[0].findall(XES + "event")]
        self.assertEqual([e["concept:name"] for e in events[:3]], ["submit", "register", "check"])
        self.assertEqual(events[0]["org:resource"], DOSSIER["by"])
        self.assertEqual(events[0]["org:role"], "postal_worker")
        self.assertRegex(events[0]["time:timestamp"], r"^\d{4}-\d\d-\d\dT[\d:.]{12}\+07:00$")
        rows = list(csv.DictReader(io.StringIO(
            self.cell_hoso("export", "journal", "--format", "csv"))))
        self.assertEqual(len(rows), sum(len(t.findall(XES + "event")) for t in traces))
        self.assertEqual(rows[0]["resource"], DOSSIER["by"])
        self.assertEqual([r["seq"] for r in rows], [str(i + 1) for i in range(len(rows))])
        both = text + self.cell_hoso("export", "journal", "--format", "csv")
        for secret in ("Nguyễn", "093090001234", "0912345678", "Trần Hưng Đạo"):
            self.assertNotIn(secret, both)
        later = self.cell_hoso("export", "journal", "--format", "csv", "--from", "3")
        self.assertEqual(len(later.splitlines()), len(rows) - 2 + 1)
        self.assertIn("1 dossier", self.cell_hoso("procedure", "graph", "1.004873", "--counts")
                      .replace("2 dossiers", "1 dossier"))

    def changed(self, old, new):
        text = pathlib.Path(PILOT).read_text(encoding="utf-8")
        self.assertIn(old, text)
        return self.path("changed.cfg", text.replace(old, new))

    def test_real_dossiers_are_walked_through_another_definition(self):
        online = self.run_one_dossier()
        self.cell_hoso("event", online, "withdraw", "--by", "0912345678", "--role", "citizen")
        end = time.monotonic() + PATIENCE
        while '"post"' not in self.cell_hoso("list", "--state", "accept", "--json"):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        same = json.loads(self.cell_hoso("procedure", "replay", PILOT, "--json"))
        self.assertEqual(same["counts"],
                         {"same": 2, "outcome": 0, "state": 0, "untaken": 0, "error": 0})
        self.assertIn("2  the same", self.cell_hoso("procedure", "replay", PILOT))
        sub = self.changed('cond = "_event.data.complete"',
                           'cond = "_event.data.complete and _dossier.channel != \'post\'"')
        told = json.loads(self.cell_hoso("procedure", "replay", sub, "--json", expect=1))
        self.assertEqual((told["counts"]["same"], told["counts"]["state"]), (1, 1))
        row = told["differ"][0]
        self.assertNotEqual(row["dossier"], online)
        self.assertEqual((row["event"], row["was"], row["now"]),
                         ("done.invoke.check", ["accept"], ["incomplete"]))
        table = self.cell_hoso("procedure", "replay", sub, expect=1)
        self.assertIn(row["dossier"], table)
        self.assertNotIn("Nguyễn", table)

    def test_events_that_a_definition_no_longer_takes_are_named(self):
        self.run_one_dossier()
        text = pathlib.Path(PILOT).read_text(encoding="utf-8")
        other = self.path("other.cfg", text.replace("done.invoke.check", "done.invoke.count")
                          .replace('id = "check"', 'id = "count"'))
        told = json.loads(self.cell_hoso("procedure", "replay", other, "--json", expect=1))
        self.assertGreater(told["counts"]["untaken"], 0)
        self.assertEqual(told["differ"][0]["event"], "done.invoke.check")
        bad = self.path("bad.cfg", "procedure: { code = \"1.000001\"; };\n")
        self.assertIn("bad.cfg:1:", self.cell_hoso("procedure", "replay", bad, expect=2))

    def test_an_unknown_format_is_refused(self):
        self.assertIn("xes or csv", self.cell_hoso("export", "journal", "--format", "xml", expect=2))
        self.assertIn("scxml", self.cell_hoso("export", "procedure", "1.004873", "--format", "bpmn",
                                              expect=2))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
