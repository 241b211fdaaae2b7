#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the layer rules: includes go down only, and each outside library has one home.

    tests/layers.py [ROOT]        check the sources below ROOT
    tests/layers.py --self-test   plant each kind of breach and see that it is found
    tests/layers.py --no-store PROGRAM      the linked program holds nothing of the store

A file may include headers of its own folder, of lower layers, and of the public headers that
belong to its own layer or a lower one. Exit code 0 = all is well, 1 = breaches (one line each).
"""
import pathlib
import re
import subprocess
import sys
import tempfile

# Layer -> level. A file may include what stands on a lower level, or in its own layer.
LEVELS = {
    "base": 0, "config": 1, "codec": 1, "chart": 2, "procedure": 3, "store": 4, "transport": 4,
    "engine": 5, "service": 6, "services": 7,
}

# Public header (workflow/NAME.h) -> the layer whose manual it is, where no LAYER/NAME.c tells it, or
# several do.
PUBLIC = {
    "clock": "base", "value": "base",
    "config": "config", "messages": "codec", "records": "codec", "chart": "chart", "expr": "chart",
    "procedure_tools": "procedure", "store": "store", "papers": "store",
    "transport": "transport",
    "service": "service",
}

# Header of an outside library -> the folders that may know it.
HOMES = {
    "lmdb.h": ("store",), "zmq.h": ("transport",), "libconfig.h": ("config",),
    "msgpack.h": ("codec",), "sodium.h": ("base",), "jansson.h": ("services",),
    "microhttpd.h": ("services",), "sqlite3.h": ("services",), "curl.h": ("services",),
    "ncurses.h": ("services",),
}

# What pure code may not call: it would reach for files, the clock or chance.
IMPURE = re.compile(
    r"\b(fopen|freopen|fdopen|open|openat|read|write|popen|system|unlink|rename|stat|mmap|"
    r"time|clock|clock_gettime|gettimeofday|localtime|localtime_r|wf_real_ms|wf_monotonic_ms|"
    r"wf_monotonic_us|rand|random|getrandom|getenv)\s*\(")
IMPURE_INCLUDES = re.compile(r"<(fcntl|sys/stat|sys/mman|sys/time|sys/socket|unistd)\.h>")
PURE = ("chart/*.c", "chart/*.h", "procedure/check*.c")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def layer_of_public(name, root):
    """The layer of workflow/NAME.h: that of the file that carries it out; "?" where none is known."""
    homes = [layer for layer in LEVELS if (root / "libworkflow" / layer / f"{name}.c").exists()]
    return PUBLIC.get(name, homes[0] if len(homes) == 1 else "?")


def layer_of_file(path, root):
    """The layer of a source file, or None where the rules do not reach."""
    parts = path.relative_to(root).parts
    if parts[0] == "services":
        return "services"
    if parts[:3] == ("libworkflow", "include", "workflow"):
        return layer_of_public(path.stem, root)
    return parts[1] if parts[0] == "libworkflow" and len(parts) > 2 else None


def layer_of_include(name, root):
    """The layer that an include names, None for system headers and neighbours."""
    parts = name.split("/")
    if parts[0] == "workflow":
        return layer_of_public(pathlib.PurePath(name).stem, root)
    return parts[0] if len(parts) > 1 and parts[0] in LEVELS else None


def check_include(where, layer, name, root):
    breaches = []
    target = layer_of_include(name, root)
    if target == "?":
        breaches.append(f"{where}: {name}: no layer: add the header to PUBLIC in tests/layers.py")
    elif target is not None and target != layer and LEVELS[target] >= LEVELS[layer]:
        breaches.append(f"{where}: layer {layer} includes {name} of layer {target}: "
                        "includes go down only")
    home = HOMES.get(pathlib.PurePath(name).name)
    if home is not None and layer not in home:
        breaches.append(f"{where}: {name} outside its home: only {', '.join(home)}/ may know it")
    return breaches


def is_pure(path, root):
    return any(path.match(f"libworkflow/{pattern}") for pattern in PURE)


def check_pure(path, text, shown):
    """Comments and texts are blanked, line numbers kept."""
    bare = COMMENT_OR_TEXT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    breaches = []
    for number, line in enumerate(bare.splitlines(), 1):
        call = IMPURE.search(line)
        if call:
            breaches.append(f"{shown}:{number}: {call.group(1)}() in pure code: "
                            "no files, clock or chance here; hand the value down")
        if IMPURE_INCLUDES.search(line):
            breaches.append(f"{shown}:{number}: {line.strip()} in pure code: no files here")
    return breaches


def check_file(path, root):
    shown = path.relative_to(root)
    layer = layer_of_file(path, root)
    if layer is None:
        return []
    if layer not in LEVELS:
        return [f"{shown}:1: unknown layer {layer}: add it to tests/layers.py"]
    text = path.read_text(encoding="utf-8")
    breaches = []
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            breaches += check_include(f"{shown}:{number}", layer, include.group(2), root)
    return breaches + (check_pure(path, text, shown) if is_pure(path, root) else [])


def check_tree(root):
    files = [path for folder in ("libworkflow", "services") for suffix in ("*.c", "*.h")
             for path in sorted((root / folder).rglob(suffix))]
    return len(files), [breach for path in files for breach in check_file(path, root)]


# A planted file, and a word that the message must hold; None = must pass.
PLANTED = (
    ("libworkflow/base/a.c", '#include "workflow/chart.h"', "go down only"),
    ("libworkflow/store/b.c", '#include "transport/sockets.h"', "go down only"),
    ("libworkflow/codec/c.c", '#include "workflow/config.h"', "go down only"),
    ("libworkflow/engine/d.c", "#include <lmdb.h>", "outside its home"),
    ("services/intake/e.c", "#include <zmq.h>", "outside its home"),
    ("libworkflow/include/workflow/chart.h", '#include "workflow/store.h"', "go down only"),
    ("libworkflow/include/workflow/novel.h", "", "unknown layer"),
    ("libworkflow/chart/f.c", "long x = time(NULL);", "pure code"),
    ("libworkflow/procedure/check_g.c", "FILE *f = fopen(n, m);", "pure code"),
    ("libworkflow/chart/h.c", "#include <fcntl.h>", "pure code"),
    ("libworkflow/chart/i.c", '/* time(NULL) */ const char *s = "open(x)";', None),
    ("libworkflow/procedure/read.c", "FILE *f = fopen(n, m);", None),
    ("libworkflow/engine/j.c", '#include "workflow/store.h"', None),
    ("libworkflow/store/k.c", "#include <lmdb.h>", None),
)


def self_test():
    wrong = 0
    for name, line, word in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / name
            path.parent.mkdir(parents=True)
            path.write_text(line + "\n", encoding="utf-8")
            found = check_tree(pathlib.Path(folder))[1]
        good = not found if word is None else len(found) == 1 and word in found[0]
        if not good:
            wrong += 1
            print(f"self-test: {name}: {line}: expected {word!r}, found {found}")
    print(f"layers: self-test of {len(PLANTED)} planted files: {wrong} wrong")
    return 1 if wrong else 0


def check_no_store(program):
    """What faces the outside must not be able to open the store: LMDB is neither in it nor named."""
    needed = subprocess.run(["readelf", "--dynamic", program], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    names = subprocess.run(["nm", program], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = re.findall(r"NEEDED.*(lmdb\S*)\]", needed) + re.findall(
        r" (?:mdb_\w+|wf_store_\w+|wf_txn_\w+)$", names, re.M)
    for what in found:
        print(f"{program}: {what.strip()}: this program may hold nothing of the store")
    return 1 if found or " main" not in names else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) == 2 and arguments[0] == "--no-store":
        return check_no_store(arguments[1])
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    n, breaches = check_tree(root)
    for breach in breaches:
        print(breach)
    print(f"layers: {n} files, {len(breaches)} breach(es)")
    return 1 if breaches or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
