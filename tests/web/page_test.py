#!/usr/bin/python3
"""What can be said of the page without a browser: its words in both languages, that its parts are those that it names, and where it is."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"])
WEB = SOURCE / "web"
STRING = r"(?:'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\")"


def korean():
    text = (WEB / "korean.js").read_text()
    pairs = re.findall(rf"^\s*(?:{STRING}|(\w+)):\s*{STRING},$", text, re.M)
    return {single or double or word: one or other for single, double, word, one, other in pairs}


def spoken():
    """Every text in the page's source that is a key: in calls of t and tn, in HTML, and in the tables of words.js and times.js."""
    found = set()
    for file in WEB.glob("*.js"):
        if file.name != "korean.js":
            found |= {single or double for single, double in re.findall(STRING, file.read_text())}
    page = (WEB / "index.html").read_text()
    for attribute in re.findall(r'data-t-label="([^"]+)"', page) + re.findall(r"data-t(?: [^>]*)?>([^<]+)<", page):
        found.add(attribute)
    return found


class Words(unittest.TestCase):
    def test_what_is_called_for_is_there(self):
        called = set()
        for file in WEB.glob("*.js"):
            called |= {text for text in re.findall(r"\bt\('((?:[^'\\]|\\.)*)'", file.read_text())}
            for pair in re.findall(r"\btn\('((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'", file.read_text()):
                called |= set(pair)
        page = (WEB / "index.html").read_text()
        called |= set(re.findall(r'data-t-label="([^"]+)"', page)) | set(re.findall(r"data-t(?: [^>]*)?>([^<]+)<", page))
        self.assertGreater(len(called), 80)
        self.assertEqual(called - set(korean()), set())

    def test_nothing_is_left_over(self):
        left = set(korean()) - spoken() - set(self.faults())
        self.assertEqual(left, set())

    def test_values_are_the_same_in_both(self):
        for english, text in korean().items():
            self.assertEqual(sorted(re.findall(r"\{\w+\}", english)), sorted(re.findall(r"\{\w+\}", text)), english)

    def test_the_servers_reasons_are_those_of_the_command_line(self):
        here = korean()
        for english, text in self.faults().items():
            self.assertEqual(here.get(english), text)

    def faults(self):
        header = SOURCE / "lapse" / "image" / "faults.hpp"
        return dict(re.findall(r'\{"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\}', header.read_text()))


class Parts(unittest.TestCase):
    page = (WEB / "index.html").read_text()

    def test_there_is_nothing_inline(self):
        self.assertEqual(re.findall(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|javascript:", self.page), [])
        self.assertEqual(re.findall(r"https?://(?!www\.w3\.org)", "".join(file.read_text() for file in WEB.glob("*.*") if file.suffix != ".png")), [])

    def test_every_element_that_is_looked_for_is_there(self):
        wanted = set()
        for file in WEB.glob("*.js"):
            wanted |= set(re.findall(r"(?:\$|getElementById)\('([\w-]+)'\)", file.read_text()))
        self.assertGreater(len(wanted), 30)
        self.assertEqual(wanted - set(re.findall(r'id="([\w-]+)"', self.page)), set())

    def test_the_service_worker_keeps_every_file(self):
        kept = set(re.findall(r"'/([^']*)'", re.search(r"const files = \[(.*?)\];", (WEB / "sw.js").read_text(), re.S)[1]))
        there = {file.name for file in WEB.iterdir() if file.is_file() and file.suffix != ".py"}
        self.assertEqual(kept, there - {"index.html", "sw.js"} | {""})


class Address(unittest.TestCase):
    """The page, once the server runs, is where the server says; where it has no photo model it says nothing of a page."""

    def lines(self, settings, language, number):
        with tempfile.TemporaryDirectory(prefix="lapse-page-") as folder:
            models = pathlib.Path(folder) / "models"
            models.mkdir()
            (models / "m.json").write_text(settings)
            server = subprocess.Popen([os.environ["LAPSE"], "serve", "--models", str(models), "--data", folder + "/data", "--listen", "127.0.0.1:0"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "LC_ALL": language})
            try:
                return [server.stdout.readline() for _ in range(number)]
            finally:
                server.terminate()
                rest = server.communicate(timeout=30)[0]
                self.assertEqual(rest, "")

    def test_is_told_in_both_languages(self):
        photo = '{"model": "null", "photo": {"scale": 2, "halo": 4, "tile": 64}}'
        for language, words in (("C.UTF-8", "The photo app"), ("ko_KR.UTF-8", "사진 앱")):
            first, second = self.lines(photo, language, 2)
            address = re.search(r"http://127\.0\.0\.1:\d+", first)[0]
            self.assertEqual(second, f"{words}: {address}/\n")

    def test_is_not_told_where_there_is_nothing_for_photos(self):
        self.assertIn("lapse serves the models", self.lines('{"model": "null"}', "C.UTF-8", 1)[0])


if __name__ == "__main__":
    unittest.main()
