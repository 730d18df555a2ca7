"""What the browser tests share: headless Chromium, a server of their own, and an examination by axe-core."""

import pathlib
import tempfile
import unittest

from browser import DESKTOP, PHONE, SCREENSHOTS, grave_faults, lacking, start_browser
from wire import MODELS, PhotoServer

try:
    from pages import Album, Compare
except ImportError:
    pass  # of Selenium: then it is among what is lacking

lacking = lacking + [model for model in (f"{MODELS}/photo-x2.onnx",) if not pathlib.Path(model).exists()]


@unittest.skipIf(lacking, "there is no " + ", no ".join(lacking))
class WebCase(unittest.TestCase):
    """A server for each test, and as many browsers, each a person of its own, as it asks for."""

    options, names = (), ()

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="lapse-web-")))
        self.server = PhotoServer(self.folder, *self.options, names=self.names)
        self.addCleanup(self.server.close)

    def browse(self, address=None, **how):
        browser = start_browser(**how)
        self.addCleanup(browser.quit)
        self.addCleanup(self.assert_no_complaints, browser)
        return Album(browser, address or self.server.address).open()

    def compare(self, album, name):
        album.press(name, "open")
        return Compare(album.browser, album.address).opened()

    def shoot(self, album, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        album.browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))

    def examine(self, album, where):
        """No serious or critical fault that axe-core finds, contrast of WCAG AA among them."""
        album.wait(lambda: album.browser.execute_script("return document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)"),
                   "the page never comes to rest")
        self.assertEqual(grave_faults(album.browser), [], f"at {where}")

    def assert_no_complaints(self, browser):
        """Nothing that the page's policy forbids, and no error that nobody caught. That a request failed is no fault of the page."""
        grave = [entry["message"] for entry in browser.get_log("browser")
                 if entry["level"] == "SEVERE" and entry["source"] != "network"]
        self.assertEqual(grave, [])

    def assert_fits(self, album):
        wide, room = album.browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        self.assertLessEqual(wide, room, "the page scrolls sideways")
