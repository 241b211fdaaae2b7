#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual pages: texts of man/ and docs/ with the tables of the programs, as man(7) wants it.

    man/pages.py pages REFERENCE VERSION SOURCE MAN1 MAN5 MAN7 MAN8     the folders of pages
    man/pages.py fill REFERENCE TEMPLATE OUTPUT                         a file with @lines filled in

A text holds one page or more, each from "# name(section) - summary" on. Marks: ## and ### headings,
paragraphs, lists with - and 1., tables, fenced or indented examples, `code`, **bold**, [links](x), and
two lines "  term" and "      meaning" for a row of a list. Lines of their own:

    @settings FILE   @overview   @completion     what `reference` prints
    @include FILE                                a text of the source, headings one level down
    @also NAME(SECTION) ...                      links: further names of this page
"""
import pathlib
import re
import shutil
import subprocess
import sys

TITLE = re.compile(r"# (\S+)\((\d)\) - (.+)")
ITEM = re.compile(r"(- |\d+\. )")
PAGE = re.compile(r"(?<![\w.\\-])([a-z][a-z0-9_.-]+)\((\d)\)")


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-")


def prose(text):
    """Inline marks; a line that could be read as a request is guarded."""
    out = []
    for i, part in enumerate(re.split(r"`([^`]*)`", " ".join(text.split()))):
        if i % 2:
            out.append("\\fB" + escape(part) + "\\fR")
            continue
        part = part.replace("\\|", "|").replace("\\", "\\e")
        part = re.sub(r"\[([^\]]*)\]\((https?:[^)]*)\)", r"\1 (\2)", part)
        part = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", part)
        part = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fR", part)
        part = re.sub(r"(?<!\w)\*([^*\s][^*]*)\*", r"\\fI\1\\fR", part)
        part = PAGE.sub(r"\\fB\1\\fR(\2)", part)
        out.append(re.sub(r" -(?=[ ,])", r" \\(en", part).replace("--", "\\-\\-"))
    text = "".join(out)
    return "\\&" + text if text[:1] in (".", "'") else text


def example(lines):
    """As it stands, however long the line."""
    out = [".PP", ".in +4n", ".EX"]
    for line in lines:
        line = escape(line.rstrip())
        out.append("\\&" + line if line[:1] in (".", "'") else line)
    return out + [".EE", ".in"]


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]


def table(lines):
    """Each row a term with what is said of it: wide tables have no place on a terminal."""
    head, rows, out = cells(lines[0]), [cells(line) for line in lines[2:]], []
    for row in rows:
        said = [(word, cell) for word, cell in zip(head[1:], row[1:]) if cell]
        if len(said) == 1 or not any(head[1:]):
            body = ", ".join(cell for _, cell in said)
        elif head[-1] in ("meaning", "what for") and row[-1]:
            body = row[-1] + " (" + "; ".join(
                f"{word}: {cell}" for word, cell in said[:-1]) + ")"
        else:
            body = "; ".join(f"{word}: {cell}" if word else cell for word, cell in said)
        out += [".TP", "\\fB" + prose(row[0].replace("`", "").replace("**", "")) + "\\fR",
                prose(body) or "\\&"]
    return out


class Text:
    """Walks the lines of a page; each kind of block takes as many as are its own."""

    def __init__(self, lines):
        self.lines, self.at = lines, 0

    def here(self, ahead=0):
        at = self.at + ahead
        return self.lines[at] if at < len(self.lines) else ""

    def take(self, belongs):
        start = self.at
        while self.at < len(self.lines) and belongs(self.here()):
            self.at += 1
        return self.lines[start:self.at]

    def is_row(self):
        return bool(re.match(r"  \S", self.here()) and re.match(r" {6}\S", self.here(1))
                    and not self.here().endswith("\\"))

    def fenced(self):
        self.at += 1
        inside = self.take(lambda line: not line.startswith("```"))
        self.at += 1
        return example(inside)

    def indented(self):
        lines = self.take(lambda line: line.startswith("  "))
        depth = min(len(line) - len(line.lstrip()) for line in lines)
        return example(line[depth:] for line in lines)

    def row(self):
        term, meaning = self.here().strip(), self.here(1).strip()
        self.at += 2
        # as wf_keys_help has it: "name   what it may be"
        name, _, kind = term.partition("  ")
        term = "\\fB" + escape(name) + "\\fR" + ("  " + prose(kind.strip()) if kind else "")
        return [".TP", term, prose(meaning) or "\\&"]

    def item(self):
        mark = ITEM.match(self.here()).group()
        first = self.here()[len(mark):]
        self.at += 1
        rest = self.take(lambda line: line.startswith("  ") and not ITEM.match(line.strip()))
        word = "\\(bu" if mark == "- " else mark.strip()
        return [f'.IP "{word}" 4', prose(" ".join([first, *rest]))]

    def paragraph(self):
        lines = self.take(lambda line: line.strip() and not re.match(r"#|```|\||- |\d+\. ", line))
        if not lines:
            lines, self.at = [self.here()], self.at + 1
        return [".PP", prose(" ".join(lines))]

    def block(self):
        line = self.here()
        heading = re.match(r"(#+) (.*)", line)
        if heading:
            self.at += 1
            text = prose(heading[2].rstrip("."))
            level = len(heading[1])
            return [".PP", "\\fB" + text + "\\fR"] if level > 3 else \
                [(".SH " if level == 2 else ".SS ") + text]
        if line.startswith("```"):
            return self.fenced()
        if line.startswith("|") and self.here(1).startswith("|-"):
            return table(self.take(lambda line: line.startswith("|")))
        if self.is_row():
            return self.row()
        if line.startswith("  "):
            return self.indented()
        return self.item() if ITEM.match(line) else self.paragraph()

    def roff(self):
        out = []
        while self.at < len(self.lines):
            if self.here().strip():
                out += self.block()
            else:
                self.at += 1
        return out


def ask(reference, *words):
    return subprocess.run([reference, *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def demoted(path):
    """A text of docs/: its title is the page's business, its headings are subsections."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".inc":
        return lines
    return [re.sub(r"^(##+) ", r"\1# ", line) for line in lines
            if not line.startswith(("# ", "Made by `protocol-table"))]


def filled(lines, reference, source):
    for line in lines:
        words = line.split() if line.startswith("@") else [""]
        if words[0] == "@include":
            yield from filled(demoted(source / words[1]), reference, source)
        elif words[0] in ("@settings", "@overview", "@completion", "@verbs"):
            yield from ask(reference, words[0][1:], *words[1:]).splitlines()
        else:
            yield line


def pages(lines):
    """(name, section, summary, lines) of each page."""
    page = None
    for line in lines:
        title = TITLE.fullmatch(line)
        if title:
            if page:
                yield page
            page = (*title.groups(), [])
        elif page:
            page[3].append(line)
    if page:
        yield page


def write(folders, name, section, text):
    (folders[section] / f"{name}.{section}").write_text(text, encoding="utf-8")


def make_page(folders, version, name, section, summary, lines):
    body = [line for line in lines if not line.startswith("@also")]
    out = ['.\\" SPDX-License-Identifier: Apache-2.0',
           '.\\" Made by man/pages.py; do not edit.',
           f'.TH {name.upper()} {section} "" "hoso {version}" "Hoso"', ".nr HY 0", ".ad l",
           ".SH NAME", f"{name} \\- {prose(summary)}", *Text(body).roff()]
    write(folders, name, section, "\n".join(out) + "\n")
    for line in lines:
        if line.startswith("@also"):
            for other, its in PAGE.findall(line):
                write(folders, other, its, f".so man{section}/{name}.{section}\n")


def make_pages(reference, version, source, *names):
    source = pathlib.Path(source)
    folders = {name[-1]: pathlib.Path(name) for name in names}
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    texts = [path.read_text(encoding="utf-8").splitlines()
             for path in sorted((source / "man").glob("*.md"))]
    for text in texts + [["@verbs"]]:
        for page in pages(filled(text, reference, source)):
            make_page(folders, version, *page)


def fill(reference, template, output):
    lines = pathlib.Path(template).read_text(encoding="utf-8").splitlines()
    text = "\n".join(filled(lines, reference, None)) + "\n"
    pathlib.Path(output).write_text(text, encoding="utf-8")


def main():
    {"pages": make_pages, "fill": fill}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
