#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""debian/ against the build: what is installed is in one package, once; versions and needs agree.

    tests/packages.py BUILD-FOLDER SOURCE-FOLDER
"""
import fnmatch
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

BUILD, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
DEBIAN = SOURCE / "debian"


def told(name):
    return json.loads((BUILD / "meson-info" / f"intro-{name}.json").read_text(encoding="utf-8"))


def option(name):
    return next(each["value"] for each in told("buildoptions") if each["name"] == name)


def installed():
    """What `meson install` puts down, as Debian's paths."""
    places = {option("libexecdir"): "libexec", option("libdir"): "lib/TRIPLE"}
    for path in told("installed").values():
        rest = str(pathlib.Path(path).relative_to(option("prefix")))
        for mine, theirs in places.items():
            if rest.startswith(mine + "/"):
                rest = theirs + rest[len(mine):]
                break
        yield f"usr/{rest}"


def patterns():
    for file in sorted(DEBIAN.glob("*.install")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield file.stem, line


def fits(path, pattern):
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


class Packages(unittest.TestCase):
    def test_every_installed_file_is_in_just_one_package(self):
        for path in installed():
            homes = {package for package, pattern in patterns() if fits(path, pattern)}
            self.assertEqual(len(homes), 1, f"{path} is in {homes or None}: see debian/*.install")

    def test_every_line_of_a_package_has_a_file(self):
        paths = list(installed())
        for package, pattern in patterns():
            self.assertTrue(any(fits(path, pattern) for path in paths), f"{package}: {pattern}")

    def test_every_package_is_described_and_the_library_s_name_has_its_soname(self):
        control = (DEBIAN / "control").read_text(encoding="utf-8")
        named = set(re.findall(r"^Package: (\S+)$", control, re.M))
        soname = next(re.search(r"\.so\.(\d+)$", path) for path in installed()
                      if re.search(r"libworkflow\.so\.\d+$", path))
        self.assertIn(f"libworkflow{soname.group(1)}", named)
        self.assertLessEqual({package for package, _ in patterns()}, named)

    def test_the_version_is_that_of_the_build(self):
        first = (DEBIAN / "changelog").read_text(encoding="utf-8").split("\n", 1)[0]
        version = told("projectinfo")["version"]
        self.assertRegex(first, rf"^hoso \({re.escape(version)}(\+\S+)?\) ")
        if shutil.which("dpkg-parsechangelog") is not None:
            said = subprocess.run(["dpkg-parsechangelog", "-l", str(DEBIAN / "changelog"),
                                   "-S", "Version"], capture_output=True, text=True, check=True)
            self.assertEqual(said.stdout.strip(), re.search(r"\((.*?)\)", first).group(1))

    def test_what_building_needs_is_what_setup_installs(self):
        setup = (SOURCE / "scripts" / "setup").read_text(encoding="utf-8")
        control = (DEBIAN / "control").read_text(encoding="utf-8")
        needed = control.split("Build-Depends:")[1].split("\n\n")[0]
        libraries = re.compile(r"\blib[\w.+-]+-dev\b")
        self.assertEqual(set(libraries.findall(needed)),
                         set(libraries.findall(setup)) - {"libcmocka-dev"})

    def test_maintainer_scripts_are_shell_and_keep_what_they_must(self):
        for name in ("postinst", "prerm", "postrm"):
            script = DEBIAN / f"hoso.{name}"
            subprocess.run(["/bin/sh", "-n", str(script)], check=True)
            text = script.read_text(encoding="utf-8")
            self.assertIn("#DEBHELPER#", text)
            self.assertNotRegex(text, r"rm -r|rm -fr")  # cells are never deleted


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
