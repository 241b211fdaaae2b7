# SPDX-License-Identifier: Apache-2.0
"""A terminal for tests: a pseudo terminal, and what a person would see on it.

Knows what ncurses says to an xterm, and fails at anything else, so that nothing goes unseen.
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

PATIENCE = 15  # seconds, on a busy machine
SEQUENCE = re.compile(r"\x1b(\[(?P<text>[?0-9;]*)(?P<end>[@-~])|[()][AB0]|[=>78M])")


class Screen:
    """Rows of characters, as an xterm would have them."""

    def __init__(self, rows, columns):
        self.is_other = False      # the screen of full-screen programs
        self.has_cursor = True
        self.colours = set()
        self.size(rows, columns)

    def size(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = [[" "] * columns for _ in range(rows)]
        self.y = self.x = 0
        self.last = " "
        self.region = (0, rows - 1)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def put(self, char):
        if self.x >= self.columns:
            self.x, self.y = 0, min(self.y + 1, self.rows - 1)
        self.lines[self.y][self.x] = self.last = char
        self.x += 1

    def plain(self, char):
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.down()
        elif char == "\b":
            self.x = max(self.x - 1, 0)
        elif char >= " ":
            self.put(char)
        elif char not in "\x0e\x0f\x07":
            raise AssertionError(f"a control character: {char!r}")

    def down(self):
        if self.y == self.region[1]:
            self.scroll(self.region[0], 1)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def reverse(self):
        if self.y == self.region[0]:
            self.scroll(self.region[0], -1)
        else:
            self.y = max(self.y - 1, 0)

    def scroll(self, first, n):
        """Lines from there to the region's end go up; down where n is negative."""
        last = self.region[1]
        part = self.lines[first:last + 1]
        empty = [[" "] * self.columns for _ in range(min(abs(n), len(part)))]
        moved = part[n:] + empty if n > 0 else empty + part[:len(part) - len(empty)]
        self.lines[first:last + 1] = moved

    def clear(self, from_y, from_x, to_y, to_x):
        for y in range(from_y, to_y + 1):
            first = from_x if y == from_y else 0
            last = to_x if y == to_y else self.columns
            self.lines[y][first:last] = [" "] * (last - first)

    def control(self, text, end):
        given = [int(n) if n else 0 for n in text.lstrip("?").split(";")] if text != "?" else []
        n = max(given[0] if given else 1, 1)
        if end in "Hf":
            self.y = min(n, self.rows) - 1
            self.x = min(max(given[1] if len(given) > 1 else 1, 1), self.columns) - 1
        elif end == "d":
            self.y = min(n, self.rows) - 1
        elif end == "G":
            self.x = min(n, self.columns) - 1
        elif end == "A":
            self.y = max(self.y - n, 0)
        elif end == "B":
            self.y = min(self.y + n, self.rows - 1)
        elif end == "C":
            self.x = min(self.x + n, self.columns - 1)
        elif end == "D":
            self.x = max(self.x - n, 0)
        elif end == "J":
            begin = (0, 0) if given[0] == 2 else (self.y, self.x)
            self.clear(*begin, self.rows - 1, self.columns)
        elif end == "K":
            first, last = (0, self.x + 1) if given[0] == 1 else (self.x, self.columns)
            self.clear(self.y, first, self.y, last)
        elif end in "ST":
            self.scroll(self.region[0], n if end == "S" else -n)
        elif end in "ML":
            self.scroll(self.y, n if end == "M" else -n)
        elif end == "r":
            self.region = (n - 1, (given[1] if len(given) > 1 else self.rows) - 1)
            self.y = self.x = 0
        elif end == "X":
            self.clear(self.y, self.x, self.y, min(self.x + n, self.columns))
        elif end == "P":
            line = self.lines[self.y]
            self.lines[self.y] = (line[:self.x] + line[self.x + n:] + [" "] * n)[:self.columns]
        elif end == "@":
            line = self.lines[self.y]
            self.lines[self.y] = (line[:self.x] + [" "] * n + line[self.x:])[:self.columns]
        elif end == "b":
            for _ in range(n):
                self.put(self.last)
        elif end == "m":
            self.colours.update(c for c in given if 30 <= c <= 37 or 40 <= c <= 47)
        elif end in "hl" and text.startswith("?"):
            if 1049 in given:
                self.is_other = end == "h"
            if 25 in given:
                self.has_cursor = end == "h"
        elif end not in "hlt":
            raise AssertionError(f"an unknown sequence: {text}{end}")

    def feed(self, text):
        """Gives back what is not whole yet."""
        while text:
            found = SEQUENCE.match(text)
            if found:
                if found["end"]:
                    self.control(found["text"], found["end"])
                elif found[1] == "M":
                    self.reverse()
                text = text[found.end():]
            elif text[0] == "\x1b":
                if len(text) > 20:
                    raise AssertionError(f"an unknown sequence: {text[:20]!r}")
                return text
            else:
                self.plain(text[0])
                text = text[1:]
        return ""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, env, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.slave = slave  # kept: its settings are looked at after the end
        self.screen = Screen(rows, columns)
        self.rest, self.bytes = "", b""
        self.said = b""
        self.resize(rows, columns)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        self.screen.size(rows, columns)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def read(self, wait=0.05):
        while select.select([self.master], [], [], wait)[0]:
            got = os.read(self.master, 65536)
            self.said += got
            self.bytes += got
            whole = self.bytes.decode("utf-8", "ignore")
            self.bytes = self.bytes[len(whole.encode()):]
            self.rest = self.screen.feed(self.rest + whole)
            wait = 0

    def until(self, holds, what, key=""):
        """Until the text on the screen is as wanted; presses the key now and then meanwhile."""
        end = time.monotonic() + PATIENCE
        pressed = 0
        self.read()
        while not holds(self.screen.text()):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain until {what}; on the screen:\n"
                                     f"{self.screen.text()}")
            if key and time.monotonic() > pressed + 0.3:
                pressed = time.monotonic()
                self.press(key)
            self.read()

    def shows(self, *words, key=""):
        self.until(lambda text: all(w in text for w in words), f"it shows {words}", key)

    def wait(self):
        """The exit code; the program has 15 seconds to end."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError("it does not end")
            self.read(0.02)
        self.read(0.02)
        return self.process.returncode

    def is_restored(self):
        return (termios.tcgetattr(self.slave) == self.before and self.screen.has_cursor and
                not self.screen.is_other)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)
