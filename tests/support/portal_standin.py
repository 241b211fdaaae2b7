# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the national portal: checks what it is told, and can be as awkward as the real one.

It holds the rules that the real one is known to have: every record has just its fields, statuses
follow the table, a record of a dossier comes after the ones before it, a key has one effect. What
breaks a rule stands in `faults`. A batch is taken whole or not at all.
"""
import collections
import http.server
import json
import re
import secrets
import threading
import time

SYNC = set("""MaBanTin MaHoSo MaTTHC TenTTHC MaLinhVuc TenLinhVuc KenhThucHien NoiNopHoSo ChuHoSo
LoaiDoiTuong MaDoiTuong SoGiayToChuHoSo DinhDanhCHS Email Fax SoDienThoai ThongTinKhac
TaiKhoanDuocXacThucVoiVNeID TrichYeuHoSo NgayNopHoSo NgayTiepNhan NgayHenTra NgayKetThucXuLy NgayTra
NgayTuChoi TrangThaiHoSo DonViXuLy GhiChu HinhThuc ThongTinTra HoSoCoThanhPhanSoHoa TaiLieuNop
DanhSachTepDinhKemKhac DSKetNoiCSDL DanhSachLePhi DuocThanhToanTrucTuyen DanhSachHoSoBoSung
DanhSachGiayToKetQua""".split())
PROGRESS = set("""MaBanTin MaHoSo NguoiXuLy ChucDanh ThoiDiemXuLy PhongBanXuLy NoiDungXuLy TrangThai
NgayBatDau NgayKetThucTheoQuyDinh""".split())
AFTER = {None: {1, 2}, 1: {2, 3, 5, 7}, 2: {4, 5, 6, 7, 8}, 3: set(), 4: {5, 6, 7, 8, 9},
         5: {2, 4, 7, 8}, 6: {4, 7, 8}, 7: {2, 4, 8}, 8: set(), 9: {10, 4}, 10: set()}
USER, PASSWORD, UNIT, HEADER = "hau-giang", "bí mật 1", "000.00.00.H30", "VN:GOV:000.00.00.G22"
KNOWN = "205"


class Refused(Exception):
    pass


class Known(Exception):
    pass


class Portal:
    def __init__(self):
        self.dossiers = {}  # code -> the last DongBo record
        self.statuses = collections.defaultdict(list)
        self.steps = collections.defaultdict(list)  # code -> CapNhatTienDo records
        self.keys = {}
        self.last = {}  # code -> (n, part)
        self.faults = []
        self.calls = collections.Counter()
        self.sessions = set()
        self.lock = threading.Lock()
        # awkwardness
        self.refuse = set()  # dossier codes
        self.delay = 0
        self.session_calls = 0  # a session holds for so many calls; 0 = for ever
        self.lose = 0  # this many answers are lost after the work is done
        self.twice = False
        self.tells_known = False  # of a record that it has: by a code of its own
        self.garbage = 0  # this many answers are a page of HTML
        self.used = collections.Counter()
        self.server = None
        self.port = 0

    def start(self):
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                portal.serve(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    # ---- HTTP ---------------------------------------------------------------------------------

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        time.sleep(self.delay)
        with self.lock:
            if handler.headers.get("dstcode") != HEADER:
                self.faults.append("the header is missing")
            request = json.loads(body)
            answer = self.login(request) if handler.path == "/login" else self.answer(request)
            lost = handler.path != "/login" and self.lose > 0
            self.lose -= lost
            garbage = self.garbage > 0
            self.garbage -= garbage
        handler.close_connection = True
        if lost:
            return
        text = b"<html>Bad gateway</html>" if garbage else json.dumps(answer).encode()
        for _ in range(2 if self.twice else 1):
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)

    def login(self, request):
        self.calls["login"] += 1
        if request != {"username": USER, "password": PASSWORD}:
            return {"error_code": "100", "message": "wrong"}
        session = secrets.token_hex(8)
        self.sessions.add(session)
        return {"error_code": 0, "session": session}

    def answer(self, request):
        service, session = request.get("service"), request.get("session")
        if session in self.sessions:
            self.used[session] += 1
            if self.session_calls and self.used[session] > self.session_calls:
                self.sessions.discard(session)
        if session not in self.sessions:
            return {"error_code": "100", "message": "session"}
        self.calls[service] += 1
        if request.get("madonvi") != UNIT:
            self.faults.append("madonvi")
        if service == "TraCuuHoSo":
            return self.look_up(request)
        wanted = {"service", "session", "madonvi", "data"}
        if service == "DongBoHoSoMC":
            wanted.add("isUpdating")
        if set(request) != wanted:
            self.faults.append(f"{service}: {sorted(request)}")
        before = (dict(self.dossiers), dict(self.keys), dict(self.last))
        effects = []
        try:
            for record in request["data"]:
                self.take(service, request.get("isUpdating"), record, effects)
        except Refused as why:
            self.dossiers, self.keys, self.last = before
            return {"error_code": "200", "message": str(why)}
        except Known:
            self.dossiers, self.keys, self.last = before
            return {"error_code": KNOWN, "message": "đã có"}
        for effect in effects:
            effect()
        return {"error_code": "00", "message": "OK"}

    # ---- records ------------------------------------------------------------------------------

    def take(self, service, updating, record, effects):
        code, key = record["MaHoSo"], record["MaBanTin"]
        if code in self.refuse:
            raise Refused(f"Hồ sơ của 093090001234 không hợp lệ: {code}")
        text = json.dumps(record, sort_keys=True)
        if key in self.keys:
            if self.keys[key] != text:
                self.faults.append(f"{key} came twice with other content")
            if self.tells_known:
                raise Known
            return
        n, part = map(int, key[len(code) + 1:].split("/"))
        if not key.startswith(code + "/") or (n, part) <= self.last.get(code, (0, 0)):
            self.faults.append(f"{key} came after {self.last.get(code)}")
        self.keys[key], self.last[code] = text, (n, part)
        if service == "DongBoHoSoMC":
            self.sync(updating, record, effects)
        else:
            self.progress(record, effects)

    def sync(self, updating, record, effects):
        code, status = record["MaHoSo"], int(record["TrangThaiHoSo"])
        known = self.dossiers.get(code)
        if set(record) != SYNC:
            self.faults.append(f"{code}: fields {sorted(set(record) ^ SYNC)}")
        if updating != (known is not None):
            self.faults.append(f"{code}: isUpdating is {updating}")
        was = int(known["TrangThaiHoSo"]) if known else None
        if status != was and status not in AFTER[was]:
            self.faults.append(f"{code}: {was} -> {status}")
        for name in record:
            if name.startswith("Ngay") and not re.fullmatch(r"|20\d{12}", record[name]):
                self.faults.append(f"{code}: {name} is {record[name]}")
        self.dossiers[code] = record
        effects.append(lambda: self.statuses[code].append(status))

    def progress(self, record, effects):
        code = record["MaHoSo"]
        if set(record) != PROGRESS:
            self.faults.append(f"{code}: fields {sorted(set(record) ^ PROGRESS)}")
        if code not in self.dossiers:
            self.faults.append(f"{code}: progress before the dossier")
        elif record["TrangThai"] != self.dossiers[code]["TrangThaiHoSo"]:
            self.faults.append(f"{code}: progress of another status")
        effects.append(lambda: self.steps[code].append(record))

    def look_up(self, request):
        rows = [{name: d[name] for name in ("MaHoSo", "MaTTHC", "TrangThaiHoSo", "NgayNopHoSo")}
                for d in self.dossiers.values()
                if request["tungay"] <= d["NgayNopHoSo"][:8] <= request["denngay"]]
        return {"error_code": 0, "data": rows}
