"""What the browser tests share: headless Chromium, a server of their own, and an examination by axe-core."""

import os
import pathlib
import shutil
import sys
import tempfile
import unittest

from wire import MODELS, SOURCE, PhotoServer

BUILD = pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
SCREENSHOTS = BUILD / "screenshots"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
sys.path += map(str, (SOURCE / ".deps" / "venv-test" / "lib").glob("python3*/site-packages"))
try:
    import selenium_axe_python
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from pages import Album, Compare
except ImportError:
    webdriver = None

DESKTOP, PHONE = (1280, 860), (360, 740)

lacking = [what for what, there in (("chromium", CHROMIUM), ("chromedriver", DRIVER), ("selenium: tools/setup test installs it", webdriver),
                                    (f"{MODELS}/photo-x2.onnx", (MODELS / "photo-x2.onnx").exists())) if not there]


def start_browser(language="en", size=DESKTOP, dark=False, hosts="", logs=("browser",)):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", dict.fromkeys(logs, "ALL"))
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", f"--lang={language}",
                     f"--window-size={size[0]},{size[1]}", *([f"--host-resolver-rules={hosts}"] if hosts else [])):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_script_timeout(60)
    phone = size[0] < 600
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 2 if phone else 1, "mobile": phone})
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    return browser


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
        axe = pathlib.Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"
        album.browser.execute_script(axe.read_text())
        album.wait(lambda: album.browser.execute_script("return document.getAnimations().every((one) => one.playState !== 'running' || one.effect.getTiming().iterations === Infinity)"),
                   "the page never comes to rest")
        found = album.browser.execute_async_script("const done = arguments[0]; axe.run().then(({ violations }) => done(violations))")
        grave = [f"{fault['id']} ({fault['impact']}): {fault['nodes'][0]['html'][:160]} {fault['nodes'][0]['failureSummary'][:300]}"
                 for fault in found if fault["impact"] in ("serious", "critical")]
        self.assertEqual(grave, [], f"at {where}")

    def assert_no_complaints(self, browser):
        """Nothing that the page's policy forbids, and no error that nobody caught. That a request failed is no fault of the page."""
        grave = [entry["message"] for entry in browser.get_log("browser")
                 if entry["level"] == "SEVERE" and entry["source"] != "network"]
        self.assertEqual(grave, [])

    def assert_fits(self, album):
        wide, room = album.browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        self.assertLessEqual(wide, room, "the page scrolls sideways")
