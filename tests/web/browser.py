"""Headless Chromium, and an examination by axe-core: what every test in a browser shares."""

import os
import pathlib
import shutil
import sys

SOURCE, BUILD = pathlib.Path(os.environ["LAPSE_SOURCE_DIR"]), pathlib.Path(os.environ["LAPSE_BINARY_DIR"])
SCREENSHOTS = BUILD / "screenshots"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
sys.path += map(str, (SOURCE / ".deps" / "venv-test" / "lib").glob("python3*/site-packages"))
try:
    import selenium_axe_python
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
except ImportError:
    webdriver = None

DESKTOP, PHONE = (1280, 860), (360, 740)

lacking = [what for what, there in (("chromium", CHROMIUM), ("chromedriver", DRIVER), ("selenium: tools/setup test installs it", webdriver)) if not there]


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


def grave_faults(browser):
    """The serious and critical faults that axe-core finds, contrast of WCAG AA among them."""
    axe = pathlib.Path(selenium_axe_python.__file__).parent / "axe-core" / "axe.min.js"
    browser.execute_script(axe.read_text())
    found = browser.execute_async_script("const done = arguments[0]; axe.run().then(({ violations }) => done(violations))")
    return [f"{fault['id']} ({fault['impact']}): {fault['nodes'][0]['html'][:160]} {fault['nodes'][0]['failureSummary'][:300]}"
            for fault in found if fault["impact"] in ("serious", "critical")]
