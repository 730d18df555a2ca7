"""The page's parts as a person meets them."""

import re

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 60  # seconds for what should take few

# One line a tile, as it is now: reading it at once, by one script, gives a state that really was.
TILES = """return [...document.querySelectorAll('.tile')].map((tile) => ({
  id: tile.dataset.id, name: tile.querySelector('.name').textContent, state: tile.dataset.state,
  says: tile.querySelector('.state').textContent, note: tile.querySelector('.note').textContent,
  picture: !tile.querySelector('img').hidden && tile.querySelector('img').naturalWidth > 0 }))"""

# Every message that was shown, however short, from now on.
LISTEN = """window.heard = [];
const note = () => { for (const p of document.querySelectorAll('.toast p, #connection')) if (p.textContent && heard.at(-1) !== p.textContent) heard.push(p.textContent); };
for (const id of ['toasts', 'connection']) new MutationObserver(note).observe(document.getElementById(id), { childList: true, subtree: true, characterData: true });"""


class Album:
    def __init__(self, browser, address):
        self.browser, self.address = browser, address

    def open(self):
        self.browser.get(self.address)
        self.settle()
        return self

    def settle(self):
        """Until the page knows what the server can do; from then on it is watched whether it is loaded anew."""
        self.wait(lambda: self.find("#scales label"), "the page never offers a size")
        self.browser.execute_script(LISTEN + "window.same = true;")

    def was_reloaded(self):
        return not self.browser.execute_script("return window.same === true")

    def wait(self, true, what, patience=PATIENCE):
        """An element that the page replaced between finding and asking it is no answer yet."""
        return WebDriverWait(self.browser, patience, 0.05, [StaleElementReferenceException]).until(lambda _: true(), what)

    def find(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def heard(self):
        return self.browser.execute_script("return window.heard")

    def add(self, *files):
        self.one("#choose").send_keys("\n".join(map(str, files)))

    def tiles(self):
        return self.browser.execute_script(TILES)

    def tile(self, name):
        return next((tile for tile in self.tiles() if tile["name"] == name), None)

    def states(self):
        return [tile["state"] for tile in self.tiles()]

    def until(self, name, *states, patience=PATIENCE):
        self.wait(lambda: (self.tile(name) or {}).get("state") in states, f"{name} is never {states}: {self.tile(name)}", patience)
        return self.tile(name)

    def until_all(self, state, number, patience=PATIENCE):
        def reached():
            states = self.states()
            return len(states) == number and set(states) == {state}
        self.wait(reached, f"not all are {state}: {self.states()}", patience)

    def press(self, name, action):
        """action: open, retry, cancel, download, delete."""
        tile = self.one(f".tile[data-id='{self.tile(name)['id']}']")
        self.browser.execute_script("arguments[0].scrollIntoView({ block: 'center' })", tile)
        tile.find_element(By.CSS_SELECTOR, f".{action}").click()

    def confirm(self, answer):
        self.wait(lambda: self.one("#confirm").is_displayed(), "nothing is asked")
        self.one(f"#confirm button[value={answer}]").click()

    def show(self, shelf):
        self.one(f"#filters [data-filter={shelf}]").click()

    def counts(self):
        return {link.get_attribute("data-filter"): int(link.find_element(By.TAG_NAME, "b").text) for link in self.find("#filters a")}

    def jobs(self):
        """As the server lists them to this browser."""
        return self.browser.execute_async_script(
            "const done = arguments[0]; fetch('/v2/jobs?limit=1000').then((reply) => reply.json()).then(({ jobs }) => done(jobs))")

    def focused(self):
        return self.browser.switch_to.active_element

    def keys(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()


class Compare(Album):
    """The dialog over the album."""

    def opened(self):
        self.wait(lambda: self.find("#compare[open]") and "→" in self.one("#compare-sizes").text and "?" not in self.one("#compare-sizes").text,
                  "the pictures never come")
        return self

    def is_open(self):
        return bool(self.find("#compare[open]"))

    def sizes(self):
        """((width, height) before, (width, height) after)"""
        numbers = list(map(int, re.findall(r"\d+", self.one("#compare-sizes").text)))
        return tuple(numbers[:2]), tuple(numbers[2:])

    def slider(self):
        return int(self.one("#slider").get_attribute("value"))

    def clipped(self):
        return self.browser.execute_script("return getComputedStyle(document.querySelector('.after')).clipPath")

    def drag(self, dx, dy=0):
        """Holds the middle of the stage and moves."""
        ActionChains(self.browser).move_to_element(self.one("#stage")).click_and_hold().move_by_offset(dx, dy).release().perform()

    def scale(self):
        """Screen pixels a pixel of the result, and where its corner lies on the stage."""
        return self.browser.execute_script("""
          const image = document.getElementById('after'), box = image.getBoundingClientRect(), stage = document.getElementById('stage').getBoundingClientRect();
          return [box.width / image.naturalWidth * devicePixelRatio, box.left - stage.left, box.top - stage.top]""")

    def close(self):
        self.keys(Keys.ESCAPE)
        self.wait(lambda: not self.is_open(), "it does not close")
