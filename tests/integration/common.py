# SPDX-License-Identifier: Apache-2.0
"""What the tests of real processes share."""
import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile

# As a shell without settings of ours.
ENV = {k: v for k, v in os.environ.items() if not k.startswith("HOSO_")}

# Whole and right: a marital status certificate, brought to a post office.
DOSSIER = {
    "procedure": "1.004873", "channel": "post", "site": "000.00.13.H30",
    "by": "teller-07", "role": "postal_worker",
    "fields": {"full_name": "Nguyễn Văn An", "citizen_id": "093090001234",
               "phone": "0912345678", "return_by": "post", "birth_date": "1990-05-17",
               "was_married": False, "purpose": "marriage",
               "address": "12 Trần Hưng Đạo, Long Mỹ"},
    "papers": [{"id": "declaration", "kind": "original", "copies": 1},
               {"id": "identity", "kind": "copy", "copies": 1}],
}


def faketime(hoso):
    """The library that gives a program another clock; None where there is none, or not of use: a
    program with a sanitizer hangs before main under it."""
    is_sanitized = b"__asan_init" in pathlib.Path(hoso).read_bytes()
    found = [] if is_sanitized else sorted(
        pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return str(found[0]) if found else None


def for_other_users(hoso, *folders):
    """The command (its programs beside it) and folders where every account can reach them: copies,
    where the tree lies in a place that is closed to others, such as root's home."""
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    if os.getuid() != 0 or subprocess.run([*as_nobody, "test", "-x", hoso],
                                          check=False).returncode == 0:
        return (hoso, *folders)
    place = pathlib.Path(tempfile.mkdtemp(prefix="hoso-open-"))
    atexit.register(shutil.rmtree, place)
    place.chmod(0o755)
    for program in pathlib.Path(hoso).parent.glob("hoso*"):
        if program.is_file():
            shutil.copy2(program, place)
    return (str(place / "hoso"), *(
        shutil.copytree(folder, place / f"{i}", copy_function=shutil.copy)
        for i, folder in enumerate(map(str, folders))))
