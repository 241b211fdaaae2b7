#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The drop folder against a real cell: files in, results and rejects out, whatever is killed.

    tests/integration/folder.py HOSO CONFIG PROCEDURES

HOSO is the command, the workers and hoso-folder lie beside it. All tests share one cell; each uses
files of its own names.
"""
import csv
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from common import ENV, faketime

HOSO, CONFIG, PROCEDURES = sys.argv[1:4]
FOLDER = os.path.join(os.path.dirname(HOSO), "hoso-folder")
FAKETIME = faketime(HOSO)
PATIENCE = 60
SITE, OTHER_SITE = "000.00.13.H30", "000.00.11.H30"

ROW = {
    "procedure": "1.004873",
    "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "post", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage",
               "address": "12 Trần Hưng Đạo, Long Mỹ"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}

SETTINGS = """
poll_ms = "100 ms"; stable_ms = "300 ms"; retry_ms = "50 ms"; retry_most_ms = "200 ms";
timeout_ms = "2 seconds"; max_bytes = 1000000; max_rows = 600;
parties = (
  { party = "counter-1"; channel = "post"; site = "%s"; by = "teller-07"; role = "postal_worker";
    csv = ( {
      files = "marital*.csv"; delimiter = ";"; dates = "dd/MM/yyyy";
      procedure = "1.004873"; yes = [ "có" ]; no = [ "không" ];
      columns = (
        { header = "Họ và tên"; to = "fields.full_name"; },
        { header = "Số định danh"; to = "fields.citizen_id"; },
        { header = "Điện thoại"; to = "fields.phone"; },
        { header = "Ngày sinh"; to = "fields.birth_date"; type = "date"; },
        { header = "Đã kết hôn"; to = "fields.was_married"; type = "boolean"; },
        { header = "Mục đích"; to = "fields.purpose"; },
        { header = "Nhận kết quả"; to = "fields.return_by"; },
        { header = "Địa chỉ"; to = "fields.address"; },
        { header = "Tờ khai"; to = "papers.declaration"; type = "integer"; },
        { header = "Giấy tờ tùy thân"; to = "papers.identity"; kind = "copy"; },
        { header = "Thư điện tử"; to = "fields.email"; optional = true; }
      ); } ); },
  { party = "counter-2"; channel = "post"; site = "%s"; by = "an"; role = "postal_worker"; },
  { party = "watcher"; events = true; },
  { party = "nobody"; by = "an"; role = "postal_worker"; channel = "post"; site = "%s"; }
);
""" % (SITE, OTHER_SITE, SITE)

HEADERS = ["Họ và tên", "Số định danh", "Điện thoại", "Ngày sinh", "Đã kết hôn", "Mục đích",
           "Nhận kết quả", "Địa chỉ", "Tờ khai", "Giấy tờ tùy thân"]
CELLS = ["Nguyễn Văn An", "093090001234", "0912345678", "17/05/1990", "không", "marriage", "post",
         '12 "Trần Hưng Đạo"; Long Mỹ', "1", "có"]

PARTY = """name = "{name}"; organisation = "Test"; kind = "{kind}";
sites = [ "{site}" ]; roles = [ "postal_worker" ]; procedures = [ "*" ];
submit = true; journal = {journal};
"""


def csv_text(rows, headers=HEADERS, delimiter=";", bom=True):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([headers, *rows])
    return ("\ufeff" if bom else "").encode("utf-8") + out.getvalue().encode("utf-8")


def named(n):
    """A row whose content differs from others'."""
    return {**ROW, "fields": {**ROW["fields"], "phone": f"09{n:08d}"}}


class Cell:
    def __init__(self, settings):
        self.folder = tempfile.mkdtemp(prefix="hoso-")
        self.path = os.path.join(self.folder, "cell")
        self.env = dict(ENV)
        self.log = open(os.path.join(self.folder, "log"), "a", encoding="utf-8")
        self.supervisor = None
        self.hoso("init", self.path, "--config-from", CONFIG, "--procedures", PROCEDURES)
        parties = pathlib.Path(self.path, "parties")
        parties.mkdir(exist_ok=True)
        for name, kind, site, journal in (("counter-1", "counter", SITE, "true"),
                                          ("counter-2", "counter", OTHER_SITE, "false"),
                                          ("watcher", "monitor", SITE, "true")):
            (parties / f"{name}.cfg").write_text(PARTY.format(
                name=name, kind=kind, site=site, journal=journal), encoding="utf-8")
        pathlib.Path(self.path, "folder.cfg").write_text(settings, encoding="utf-8")

    def start(self):
        self.supervisor = subprocess.Popen([HOSO, "run", "--cell", self.path], env=self.env,
                                           stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert "is ready" in self.supervisor.stdout.readline()

    def end(self):
        if self.supervisor is not None:
            self.supervisor.terminate()
            self.supervisor.wait(timeout=PATIENCE)
            self.supervisor.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder)

    def hoso(self, *words):
        done = subprocess.run([HOSO, *words], env=self.env, cwd=self.folder, text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def dossiers(self):
        return json.loads(self.hoso("status", "--json", "--cell", self.path))["dossiers"]["open"]

    def status(self, **env):
        """Whether all is well or not."""
        done = subprocess.run([HOSO, "status", "--json", "--cell", self.path], text=True, check=False,
                              env={**self.env, **env}, capture_output=True, timeout=PATIENCE)
        return json.loads(done.stdout)

    def problems_in_an_hour(self):
        status = self.status(LD_PRELOAD=FAKETIME, FAKETIME="+1h", DONT_FAKE_MONOTONIC="1")
        return [(p["code"], p["service"]) for p in status["problems"]]

    def figures(self):
        """Of this program, as status has them."""
        return [p["figures"] for p in self.status()["processes"]
                if p["name"] == "folder" and p["state"] == "up"][0]

    def drop(self, party="counter-1"):
        return pathlib.Path(self.path, "drop", party)

    def folder_program(self):
        ready, told = os.pipe()
        program = subprocess.Popen(
            [FOLDER, "--config", os.path.join(self.path, "hoso.cfg"), "--ready-fd", str(told)],
            env=self.env, stderr=self.log, pass_fds=[told])
        os.close(told)
        with os.fdopen(ready) as pipe:
            assert "ready" in pipe.readline()
        return program


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while True:
        got = holds()
        if got:
            return got
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cell = Cell("enabled = false;\n" + SETTINGS)
        cls.addClassCleanup(cls.cell.end)
        cls.cell.start()
        cls.program = cls.cell.folder_program()
        until(lambda: cls.cell.drop("nobody").joinpath(".work").exists(), "folders are there")

    @classmethod
    def tearDownClass(cls):
        cls.program.terminate()
        assert cls.program.wait(timeout=PATIENCE) == 0

    def put(self, name, content, party="counter-1"):
        """As it is meant: written under another name, then renamed in."""
        if not isinstance(content, bytes):
            content = json.dumps(content, ensure_ascii=False).encode("utf-8")
        aside = self.cell.drop(party) / "in" / f"{name}.part"
        aside.write_bytes(content)
        os.rename(aside, self.cell.drop(party) / "in" / name)

    def result(self, name, party="counter-1"):
        path = self.cell.drop(party) / "out" / f"{name}.result.json"
        until(path.exists, f"there is a result of {name}")
        return json.loads(path.read_text(encoding="utf-8"))

    def ask(self, name, content, party="counter-1"):
        self.put(name, content, party)
        return self.result(name, party)

    def work_is_empty(self, party="counter-1"):
        return not [n for n in os.listdir(self.cell.drop(party) / ".work") if n[0] != "."]

    def refused_whole(self, name, content, line=None, words="", party="counter-1"):
        result = self.ask(name, content, party)
        self.assertEqual(result["error"]["code"], "invalid", result)
        self.assertNotIn("results", result)
        if line is not None:
            self.assertEqual(result["error"].get("line"), line, result)
        self.assertIn(words, result["error"]["message"])
        self.assertTrue(result["error"]["cure"] and result["error"]["cure_vi"])
        until(lambda: os.path.lexists(self.cell.drop(party) / "rejected" / name), "it comes back")
        return result

    # ---- files that are right -----------------------------------------------------------------

    def test_json_rows_become_dossiers_with_code_status_and_due_date(self):
        before, figures = self.cell.dossiers(), self.cell.figures()
        result = self.ask("two.json", [named(1), named(2)])
        self.assertEqual((result["rows"], result["accepted"], result["refused"]), (2, 2, 0))
        codes = [row["dossier"] for row in result["results"]]
        self.assertEqual(len(set(codes)), 2)
        for row in result["results"]:
            self.assertTrue(row["dossier"].startswith(SITE))
            self.assertIn(row["status"], range(1, 11))
            self.assertRegex(row["due"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00$")
        self.assertEqual(self.cell.dossiers(), before + 2)
        until(self.work_is_empty, "nothing is left in work")
        until(lambda: self.cell.figures()["rows"] >= figures["rows"] + 2
              and self.cell.figures()["files"] > figures["files"], "status has counted them")
        done = [n for n in os.listdir(self.cell.drop() / "done") if n.endswith("-two.json")]
        self.assertEqual(done, [f"{result['hash'][:16]}-two.json"])
        self.assertFalse((self.cell.drop() / "rejected" / "two.json").exists())

    def test_an_event_reaches_the_dossier_and_a_foreign_one_is_not_found(self):
        code = self.ask("first.json", {"rows": [named(3)]})["results"][0]["dossier"]
        row = {"dossier": code, "event": "withdraw", "data": {}}
        foreign = self.ask("foreign.json", [row], "counter-2")["results"][0]["error"]
        self.assertEqual(foreign["code"], "not_found")
        unknown = self.ask("unknown.json", [{**row, "dossier": code[:-4] + "9999"}],
                           "counter-2")["results"][0]["error"]
        self.assertEqual({**foreign, "field": ""}, {**unknown, "field": ""})
        own = self.ask("own.json", [row])["results"][0]
        self.assertNotIn("error", own)
        self.assertEqual(own["dossier"], code)

    def test_csv_with_its_own_headers_dates_and_words(self):
        result = self.ask("marital-1.csv", csv_text([CELLS]))
        self.assertEqual(result["accepted"], 1, result)
        self.assertEqual(self.ask("marital-2.csv", csv_text([CELLS], bom=False))["accepted"], 1)

    def test_refused_csv_rows_come_back_to_be_mended_and_dropped_again(self):
        bad_phone = CELLS[:2] + ["12"] + CELLS[3:]
        bad_date = CELLS[:3] + ["1990-05-17"] + CELLS[4:]
        result = self.ask("marital-bad.csv", csv_text([CELLS, bad_phone, bad_date]))
        self.assertEqual((result["accepted"], result["refused"]), (1, 2), result)
        errors = [row.get("error") for row in result["results"]]
        self.assertEqual([e["field"] for e in errors[1:]], ["Điện thoại", "Ngày sinh"])
        self.assertEqual([e["line"] for e in errors[1:]], [3, 4])
        self.assertIn("dd/MM/yyyy", errors[2]["message"])
        self.assertNotIn("1990-05-17", errors[2]["message"])
        rejected = (self.cell.drop() / "rejected" / "marital-bad.csv").read_bytes()
        self.assertTrue(rejected.startswith(b"\xef\xbb\xbf"))
        rows = list(csv.reader(io.StringIO(rejected.decode("utf-8-sig"), newline=""),
                               delimiter=";"))
        self.assertEqual(rows[0], HEADERS + ["error_code", "error_message", "error_field",
                                             "error_cure", "error_cure_vi"])
        self.assertEqual([row[:10] for row in rows[1:]], [bad_phone, bad_date])
        rows[1][2], rows[2][3] = CELLS[2], CELLS[3]
        again = self.ask("marital-mended.csv", csv_text(rows[1:], rows[0]))
        self.assertEqual((again["accepted"], again["refused"]), (2, 0), again)

    def test_refused_json_rows_come_back_with_their_error(self):
        result = self.ask("mixed.json", [named(4), {**named(5), "procedure": "9.999999"}, 7])
        self.assertEqual((result["accepted"], result["refused"]), (1, 2), result)
        rejected = json.loads((self.cell.drop() / "rejected" / "mixed.json").read_text())
        self.assertEqual(rejected[0]["error"]["field"], "procedure")
        rejected[0]["procedure"] = "1.004873"
        self.assertEqual(self.ask("mended.json", rejected[:1])["accepted"], 1)

    def test_a_name_used_again_keeps_the_result_that_was_not_fetched(self):
        self.ask("daily.json", [named(6)])
        self.put("daily.json", [named(7), named(8)])
        second = self.result("daily.2.json")
        self.assertEqual((second["file"], second["rows"]), ("daily.json", 2))
        self.assertEqual(self.result("daily.json")["rows"], 1)

    # ---- once ---------------------------------------------------------------------------------

    def test_the_same_file_again_gives_the_same_answers_and_no_second_dossier(self):
        rows = [named(n) for n in range(20, 25)] + [{**named(25), "site": OTHER_SITE}]
        first = self.ask("double-a.json", rows)
        before = self.cell.dossiers()
        second = self.ask("double-b.json", rows)
        self.assertEqual(first["results"], second["results"])
        self.assertEqual(second["results"][5]["error"]["code"], "denied")
        done = self.cell.drop() / "done"
        until(lambda: list(done.glob("*double-b.json")), "the file lies among those that are done")
        shutil.rmtree(done)  # the workers know the requests all the same
        third = self.ask("double-c.json", rows)
        self.assertEqual(first["results"], third["results"])
        self.assertEqual(self.cell.dossiers(), before)

    def test_killed_again_and_again_each_row_is_done_once(self):
        seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
        print("SEED", seed, file=sys.stderr)
        chance = random.Random(seed)
        cell = type(self).cell
        before = cell.dossiers()
        rows = [named(1000 + n) for n in range(500)]
        rows[100]["fields"]["phone"] = "1"
        rows[499]["procedure"] = "9.999999"
        result = cell.drop() / "out" / "long.json.result.json"
        self.put("long.json", rows)
        kills = 0
        while kills < 400 and not (result.exists() and self.work_is_empty()):
            time.sleep(chance.uniform(0, 0.12))
            type(self).program.kill()
            type(self).program.wait()
            kills += 1
            type(self).program = cell.folder_program()
            # each life a little longer, so that it ends
            until_ms = time.monotonic() + 0.01 * kills
            while time.monotonic() < until_ms and not result.exists():
                time.sleep(0.005)
        got = self.result("long.json")
        self.assertGreater(kills, 2)
        self.assertEqual((got["rows"], got["accepted"], got["refused"]), (500, 498, 2))
        codes = {row["dossier"] for row in got["results"] if "dossier" in row}
        self.assertEqual(len(codes), 498)
        self.assertEqual(cell.dossiers(), before + 498)
        self.assertEqual([row["row"] for row in got["results"]], list(range(1, 501)))
        rejected = json.loads((cell.drop() / "rejected" / "long.json").read_text("utf-8"))
        self.assertEqual([row["error"]["field"] for row in rejected],
                         ["fields.phone", "procedure"])
        self.assertFalse([n for n in os.listdir(cell.drop() / "out") if n.startswith("long.2")])

    def test_while_the_cell_is_away_a_file_waits(self):
        cell = type(self).cell
        intake = json.loads(cell.hoso("status", "--json", "--cell", cell.path))["workers"]
        pid = next(w["pid"] for w in intake if w["service"] == "intake")
        os.kill(pid, signal.SIGSTOP)
        try:
            self.put("patient.json", [named(40)])
            until(lambda: any(n.endswith("+patient.json")
                              for n in os.listdir(cell.drop() / ".work")), "it is claimed")
            time.sleep(0.3)
            self.assertFalse((cell.drop() / "out" / "patient.json.result.json").exists())
            until(lambda: cell.figures()["away"] > 0, "the time for an answer is over")
            if FAKETIME:
                self.assertIn(("process_away", "folder"), cell.problems_in_an_hour())
        finally:
            os.kill(pid, signal.SIGCONT)
        self.assertEqual(self.result("patient.json")["accepted"], 1)

    # ---- files that are not whole -------------------------------------------------------------

    def test_a_file_that_is_still_written_is_not_taken(self):
        text = json.dumps([named(50), named(51)]).encode()
        path = self.cell.drop() / "in" / "slow.json"
        with open(path, "wb", buffering=0) as file:
            for start in range(0, len(text), 200):
                file.write(text[start:start + 200])
                time.sleep(0.15)
                self.assertTrue(path.exists())
            time.sleep(0.5)  # longer than stable_ms, but open
            self.assertTrue(path.exists())
        self.assertEqual(self.result("slow.json")["accepted"], 2)

    def test_unfinished_names_are_never_taken(self):
        names = ["a.json.part", "a.json.tmp", ".hidden.json"]
        for name in names:
            (self.cell.drop() / "in" / name).write_text(json.dumps([named(52)]))
        self.ask("beside.json", [named(53)])
        time.sleep(0.5)
        self.ask("beside-2.json", [named(53)])
        for name in names:
            self.assertTrue((self.cell.drop() / "in" / name).exists())
            os.remove(self.cell.drop() / "in" / name)

    # ---- files that are wrong -----------------------------------------------------------------

    def test_a_slip_of_syntax_refuses_the_whole_file_with_its_place(self):
        before = self.cell.dossiers()
        text = json.dumps([named(60), named(61)], indent=1)
        lines = text.split("\n")
        lines[5] = lines[5].replace(":", "", 1)
        self.refused_whole("slip.json", "\n".join(lines).encode(), 6, "no JSON")
        self.refused_whole("cut.json", text[:-5].encode(), words="too early")
        self.refused_whole("twice.json", b'[{"by": "a",\n "by": "b"}]', 2, "twice")
        self.refused_whole("latin.json", '[{"by": "é"}]'.encode("latin-1"), 1, "UTF-8")
        self.refused_whole("deep.json", b"[" * 100000, 1, "deep")
        self.refused_whole("wide.json", b"[" + b"0," * 499000 + b"0]", words="rows")
        self.refused_whole("many.json", [1] * 601, words="rows")
        self.refused_whole("empty.json", b"", words="")
        self.refused_whole("scalar.json", b"7", words="")
        self.assertEqual(self.cell.dossiers(), before)

    def test_wrong_csv_is_refused_with_what_is_wrong(self):
        good = csv_text([CELLS]).decode("utf-8-sig")
        for i, (text, line, words) in enumerate([
                (csv_text([CELLS], HEADERS[:-1] + ["Nguyễn Thị Bí Mật"]), 1, "Giấy tờ tùy thân"),
                (csv_text([CELLS + ["x"]], HEADERS + ["Ghi chú"]), 1, "column 11"),
                (csv_text([CELLS], HEADERS[:-1] + [HEADERS[0]]), 1, "twice"),
                (csv_text([CELLS[:7] + ["Long Mỹ", "1", "có"]], delimiter="|"), 1, "separated by"),
                (csv_text([CELLS, CELLS[:-1]]), 3, "as many cells"),
                ((good + '"open').encode(), 3, "within quotes"),
                ((good + 'a"b;').encode(), 3, "quote within"),
                ((good + '"a"b;').encode(), 3, "closing quote"),
                ((good + "a\rb;").encode(), 3, "carriage return"),
                ((good + "\xe9").encode("latin-1", "ignore"), 1, "UTF-8"),
                (b"", 1, "empty"),
                (b";" * 500, 1, "columns"),
                (b"a;b\0", 1, "UTF-8")]):
            with self.subTest(i=i):
                result = self.refused_whole(f"marital-wrong-{i}.csv", text, line, words)
                self.assertNotIn("Bí Mật", json.dumps(result, ensure_ascii=False))

    def test_names_without_a_format_or_columns_are_refused(self):
        self.refused_whole("letter.docx", b"x", words="format")
        self.refused_whole("other.csv", csv_text([CELLS]), words="folder.cfg")
        name = "line\nbreak\x1b[2J.json"
        before = set(os.listdir(self.cell.drop() / "out"))
        self.put(name, [named(70)])
        new = until(lambda: set(os.listdir(self.cell.drop() / "out")) - before, "it is refused")
        self.assertRegex(new.pop(), r"^bad-name-[0-9a-f]{16}\.result\.json$")
        self.refused_whole("bad-name-0.x", b"", words="format")

    def test_links_pipes_folders_and_giants_are_refused_and_not_followed(self):
        drop = self.cell.drop() / "in"
        secret = pathlib.Path(self.cell.folder, "secret.json")
        secret.write_text(json.dumps([named(71)]))
        os.symlink(secret, drop / "link.json")
        os.mkfifo(drop / "pipe.json")
        os.mkdir(drop / "folder.json")
        os.link(secret, drop / "hard.json")
        with open(drop / "giant.json.part", "wb") as file:
            file.truncate(1 << 40)
        os.rename(drop / "giant.json.part", drop / "giant.json")
        before = self.cell.dossiers()
        for name, words in (("link.json", "symbolic link"), ("pipe.json", "no regular file"),
                            ("folder.json", "no regular file"), ("hard.json", "second name"),
                            ("giant.json", "bytes")):
            result = self.result(name)
            self.assertIn(words, result["error"]["message"])
            until(lambda n=name: os.path.lexists(self.cell.drop() / "rejected" / n), "it goes")
        self.assertEqual(self.cell.dossiers(), before)
        self.assertTrue(secret.exists())

    def test_a_party_may_do_by_files_what_its_registration_says(self):
        error = self.ask("site.json", [{**named(72), "site": OTHER_SITE}])["results"][0]["error"]
        self.assertEqual((error["code"], error["field"]), ("denied", "site"))
        error = self.ask("role.json", [{**named(73), "role": "head"}])["results"][0]["error"]
        self.assertEqual((error["code"], error["field"]), ("denied", "role"))
        error = self.ask("who.json", [named(74)], "nobody")["results"][0]["error"]
        self.assertEqual(error["code"], "denied")

    # ---- news and the log ---------------------------------------------------------------------

    def test_news_come_as_files_without_gap_or_double_whatever_is_killed(self):
        cell = type(self).cell
        for n in range(5):
            self.ask(f"news-{n}.json", [named(80 + n)])
            type(self).program.kill()
            type(self).program.wait()
            type(self).program = cell.folder_program()
        last = self.ask("news-last.json", [named(90)])["results"][0]["dossier"]

        def files():
            found = []
            for path in (cell.drop("watcher") / "out").glob("events-*.json"):
                found.append(json.loads(path.read_text("utf-8")))
            return sorted(found, key=lambda f: f["from"])
        until(lambda: any(e.get("dossier") == last for f in files() for e in f["events"]),
              "the last dossier is in the news")
        seqs = [e["seq"] for f in files() for e in f["events"]]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        for file in files():
            self.assertEqual([file["events"][0]["seq"], file["events"][-1]["seq"]],
                             [file["from"], file["to"]])

    def test_the_log_holds_no_names_of_files_and_no_fields(self):
        self.ask("Nguyen-Thi-Hoa.json", [named(95), 7])
        self.cell.log.flush()
        log = pathlib.Path(self.cell.folder, "log").read_text("utf-8")
        self.assertIn("event=file", log)
        for canary in ("Nguyen-Thi-Hoa", "093090001234", "Trần Hưng Đạo"):
            self.assertNotIn(canary, log)


class Started(unittest.TestCase):
    """With the examples that are delivered."""

    def setUp(self):
        self.examples = pathlib.Path(CONFIG).parent / "docs" / "examples"
        self.cell = Cell(pathlib.Path(CONFIG, "folder.cfg").read_text("utf-8"))
        self.addCleanup(self.cell.end)

    def test_hoso_run_starts_it_where_folder_cfg_is_there(self):
        self.cell.start()
        until(lambda: (self.cell.drop() / ".work").exists(), "its folders are made")
        modes = [path.stat().st_mode & 0o777 for path in
                 (self.cell.drop().parent, self.cell.drop(), self.cell.drop() / "in")]
        self.assertEqual(modes, [0o750, 0o750, 0o770])  # the group gets to its own folders
        for name in ("dossiers.json", "marital-status.csv"):
            shutil.copy(self.examples / name, self.cell.drop() / "in" / f"{name}.part")
            os.rename(self.cell.drop() / "in" / f"{name}.part", self.cell.drop() / "in" / name)
            path = self.cell.drop() / "out" / f"{name}.result.json"
            until(path.exists, "there is a result")
            result = json.loads(path.read_text("utf-8"))
            self.assertEqual((result.get("refused"), result.get("error")), (0, None), result)
        until(lambda: list((self.cell.drop() / "out").glob("events-1-*.json")), "there are news")

        done = subprocess.run([FOLDER, "--config", os.path.join(self.cell.path, "hoso.cfg")],
                              env=self.cell.env, text=True, capture_output=True, check=False,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another hoso-folder works here", done.stderr)

    def test_every_mistake_of_the_settings_is_told_with_its_line(self):
        for old, new, words in (
                ('to = "fields.email"', 'to = "field.email"', "is no member of a request"),
                ('type = "date"', 'type = "day"', "write text, integer, number, boolean or date"),
                ('delimiter = ";"', 'delimiter = "#"', "delimiter"),
                ('dates = "dd/MM/yyyy"', 'dates = "dd/mm/yyyy"', "no form of a date"),
                ('party = "counter-2"', 'party = "counter-1"', "stands twice"),
                ('party = "counter-2"', 'party = "../x"', "no party's name"),
                ('optional = true', 'optinal = true', "did you mean 'optional'"),
                ('max_rows = 600', 'max_rows = 0', "out of range")):
            text = SETTINGS.replace(old, new, 1)
            self.assertNotEqual(text, SETTINGS)
            pathlib.Path(self.cell.path, "folder.cfg").write_text(text, encoding="utf-8")
            done = subprocess.run([FOLDER, "--check", "--config",
                                   os.path.join(self.cell.path, "hoso.cfg")], env=self.cell.env,
                                  text=True, capture_output=True, check=False, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, r"folder\.cfg:\d+: ")
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
