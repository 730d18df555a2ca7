#!/usr/bin/python3
"""The figure of docs/how-a-measurement-works.md: measures, has the page drawn, and takes the picture of its timelines in headless Chromium.

    docs/pictures/overlap.py [--lapse build/lapse]
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path += map(str, (ROOT / ".deps" / "venv-test" / "lib").glob("python3*/site-packages"))
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

COMMAND = ["pipeline", "sim:device=4ms,h2d=1ms,d2h=1ms", "--cpu-time", "4ms", "--synthetic", "60"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lapse", default=str(ROOT / "build" / "lapse"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "overlap.html"
        subprocess.run([arguments.lapse, *COMMAND, "--html", str(page), "--lang", "en"], check=True, stdout=subprocess.DEVNULL)
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 1000, "height": 1400, "deviceScaleFactor": 1.5, "mobile": False})
            browser.get(page.as_uri())
            card = browser.execute_script("return document.getElementById('timeline-synchronous').closest('section')")
            card.screenshot(str(HERE / "overlap.png"))
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
