#!/usr/bin/python3
"""Who uses the page, and how: two people, two tabs, the keyboard alone, a home network without TLS, a token, five hundred photos at once."""

import time
import unittest

import photos
from case import DESKTOP, WebCase


class People(WebCase):
    def test_two_people_see_each_their_own(self):
        one, other = self.browse(language="ko"), self.browse(language="en")
        one.add(*photos.save(self.folder, 6, 1200, 900))
        other.add(*photos.save(self.folder, 1, first=50))
        other.until("photo-50.jpg", "done")
        one.until_all("done", 6)
        self.assertEqual([tile["name"] for tile in other.tiles()], ["photo-50.jpg"])
        self.assertEqual(len(one.jobs()), 6)

    def test_a_second_tab_follows_on_the_same_stream(self):
        album = self.browse()
        first = album.browser.current_window_handle
        album.browser.switch_to.new_window("tab")
        album.open()
        album.browser.switch_to.window(first)
        album.add(*photos.save(self.folder, 5))
        album.until_all("done", 5)
        album.browser.switch_to.window(next(handle for handle in album.browser.window_handles if handle != first))
        album.until_all("done", 5)
        self.assertFalse(album.was_reloaded())
        self.assertEqual(self.server.wire.streams, 1)
        album.browser.switch_to.window(first)
        album.browser.close()  # the other takes the stream over
        album.browser.switch_to.window(album.browser.window_handles[0])
        album.add(*photos.save(self.folder, 1, first=9))
        album.until("photo-09.jpg", "done")
        self.assertEqual(self.server.wire.streams, 2)
        self.assertEqual(len(album.jobs()), 6)

    def test_cancel_and_retry(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 1, 4000, 3000), *photos.save(self.folder, 2, first=5))
        album.until("photo-01.jpg", "running")
        album.press("photo-01.jpg", "cancel")
        album.until("photo-01.jpg", "cancelled")
        album.until("photo-06.jpg", "done")
        album.press("photo-01.jpg", "retry")
        album.until("photo-01.jpg", "done", patience=180)

    def test_a_cancel_that_comes_too_late_loses_nothing(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 1))
        album.until_all("done", 1)
        album.browser.execute_script("""
          const tile = document.querySelector('.tile');
          tile.dataset.state = 'running'; // as it looked a moment ago
          tile.querySelector('.cancel').click();""")
        time.sleep(1)
        self.assertEqual([job["state"] for job in album.jobs()], ["done"])

    def test_a_cancelled_upload_leaves_nothing(self):
        album = self.browse()
        self.server.wire.pause = 0.05
        album.add(*photos.save(self.folder, 1, 3000, 2000))
        album.wait(lambda: "Uploading" in album.tile("photo-01.jpg")["says"], "it is not uploaded")
        album.press("photo-01.jpg", "cancel")
        album.wait(lambda: not album.tiles(), "it is still there")
        album.browser.refresh()
        album.settle()
        album.wait(lambda: not self.server.wire.uploads, "its bytes never end")
        time.sleep(1)  # what was on its way has come
        album.wait(lambda: not album.jobs(), "the server keeps it")
        self.assertEqual(album.tiles(), [])

    def test_four_times_and_another_format(self):
        album = self.browse()
        album.one("#scales label:nth-of-type(2)").click()
        album.one("#options summary").click()
        album.one("#format option[value=png]").click()
        album.add(*photos.save(self.folder, 1, 200, 150))
        album.until("photo-01.jpg", "done")
        self.assertEqual(self.compare(album, "photo-01.jpg").sizes(), ((200, 150), (800, 600)))
        self.assertEqual(album.jobs()[0]["result"]["content_type"], "image/png")
        album.browser.refresh()
        album.settle()
        album.wait(lambda: album.one("#scales label:nth-of-type(2) input").is_selected(), "the choice is forgotten")

    def test_the_language_can_be_changed_and_is_remembered(self):
        album = self.browse(language="ko")
        album.add(*photos.save(self.folder, 1))
        album.until_all("done", 1)
        self.assertEqual(album.tiles()[0]["says"], "완료")
        album.one("[data-language=en]").click()
        album.wait(lambda: album.tiles()[0]["says"] == "Done", "the tile stays Korean")
        self.assertEqual(album.one("h1").text, "Sharper photos, without the wait")
        album.browser.refresh()
        album.settle()
        self.assertEqual(album.browser.execute_script("return document.documentElement.lang"), "en")

    def test_dropped_and_pasted(self):
        album = self.browse()
        for number, (event, transfer) in enumerate((("drop", "dataTransfer"), ("paste", "clipboardData"))):
            album.browser.execute_async_script("""
              const [event, transfer, done] = arguments;
              const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
              canvas.getContext('2d').fillRect(9, 9, 20, 20);
              canvas.toBlob((blob) => {
                const data = new DataTransfer();
                data.items.add(new File([blob], 'image.png', { type: 'image/png' }));
                const made = event === 'drop' ? new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }) : new ClipboardEvent(event, { clipboardData: data, bubbles: true });
                document.body.dispatchEvent(made);
                done();
              }, 'image/png');""", event, transfer)
            album.until_all("done", number + 1)

    def test_by_keyboard_alone(self):
        from selenium.webdriver.common.keys import Keys
        album = self.browse()
        album.add(*photos.save(self.folder, 2))
        album.until_all("done", 2)
        reached = []
        for _ in range(25):
            album.keys(Keys.TAB)
            here = album.focused()
            reached.append(here.get_attribute("id") or here.get_attribute("class") or here.tag_name)
            if reached[-1] == "open":
                break
        self.assertIn("choose", reached)
        self.assertEqual(reached[-1], "open", reached)
        name = album.focused().get_attribute("aria-label")
        album.keys(Keys.ENTER)
        from pages import Compare
        compare = Compare(album.browser, album.address).opened()
        self.assertEqual(compare.focused().get_attribute("id"), "slider")
        before = compare.clipped()
        compare.keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.assertEqual(compare.slider(), 52)
        self.assertNotEqual(compare.clipped(), before)
        whole = compare.scale()[0]
        compare.keys("+", "+", "+", "+")
        self.assertGreater(compare.scale()[0], whole)
        compare.focused().send_keys(Keys.SHIFT + Keys.TAB)
        self.assertEqual(compare.focused().get_attribute("id"), "stage")
        _, left, _ = compare.scale()
        compare.keys(Keys.ARROW_RIGHT)
        self.assertLess(compare.scale()[1], left)
        compare.close()
        self.assertEqual(album.focused().get_attribute("aria-label"), name, "the focus is lost")
        album.keys(Keys.TAB, Keys.TAB, Keys.ENTER)  # download, delete
        album.confirm("no")
        self.assertIn("delete", album.focused().get_attribute("class"))
        album.keys(Keys.ENTER)
        album.confirm("yes")
        album.wait(lambda: len(album.tiles()) == 1, "it is not deleted")
        self.assertNotEqual(album.focused().tag_name, "body", "the focus is lost")

    def test_by_mouse_and_wheel(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 1, 1200, 900))
        album.until_all("done", 1)
        compare = self.compare(album, "photo-01.jpg")
        compare.drag(120)  # its handle is there
        self.assertGreater(compare.slider(), 55)
        compare.one("#zoom-pixels").click()
        compare.one("#zoom-in").click()
        _, left, top = compare.scale()
        at = compare.slider()
        compare.browser.execute_script("document.getElementById('slider').value = 0; document.getElementById('slider').dispatchEvent(new Event('input'))")
        compare.drag(40, 30)
        _, new_left, new_top = compare.scale()
        self.assertAlmostEqual(new_left - left, 40, delta=1)
        self.assertAlmostEqual(new_top - top, 30, delta=1)
        self.assertNotEqual(at, 0)

    def test_the_system_tells_when_nobody_looks(self):
        album = self.browse(language="ko")
        album.browser.execute_cdp_cmd("Browser.grantPermissions", {"origin": self.server.address.rstrip("/"), "permissions": ["notifications"]})
        album.browser.execute_async_script("navigator.serviceWorker.ready.then(arguments[0])")
        album.browser.refresh()
        album.settle()
        album.add(*photos.save(self.folder, 2, 2400, 1600))  # neither is done before the tab is hidden
        album.wait(lambda: len(album.jobs()) == 2, "they are not taken")
        first = album.browser.current_window_handle
        album.browser.switch_to.new_window("tab")
        other = album.browser.current_window_handle
        album.browser.switch_to.window(first)
        album.browser.execute_cdp_cmd("Target.activateTarget", {"targetId": other})
        album.wait(lambda: album.browser.execute_script("return document.hidden"), "the tab is still seen")
        told = "navigator.serviceWorker.ready.then(async (worker) => arguments[0]((await worker.getNotifications()).map(({ title, body }) => [title, body])))"
        album.until_all("done", 2, patience=180)
        album.wait(lambda: album.browser.execute_async_script(told) == [["사진이 준비되었습니다", "사진 2장이 완성되었습니다."]],
                   f"the notification is {album.browser.execute_async_script(told)}")

    def test_it_can_be_installed_and_opens_without_its_server(self):
        album = self.browse()
        album.browser.execute_async_script("navigator.serviceWorker.ready.then(arguments[0])")
        self.assertEqual(album.browser.execute_cdp_cmd("Page.getInstallabilityErrors", {})["installabilityErrors"], [])
        self.server.crash()
        album.browser.refresh()
        album.settle()
        album.add(*photos.save(self.folder, 2))
        album.wait(lambda: len(album.tiles()) == 2, "photos can't be chosen")
        self.server.start()
        album.until_all("done", 2)

    def test_five_hundred_at_once(self):
        album = self.browse(size=DESKTOP)
        files = photos.save(self.folder, 500, 48, 36)
        album.add(*files)
        album.wait(lambda: len(album.tiles()) == 500, "not every photo has a tile")
        album.show("working")  # it still answers
        album.show("all")
        album.until_all("done", 500, patience=300)
        self.assertEqual(len(album.jobs()), 500)
        self.assertLessEqual(self.server.wire.most_uploads, 3)
        self.shoot(album, "five-hundred")


class HomeNetwork(WebCase):
    """Plain HTTP under a name is no secure context: no service worker, no notifications, no locks, no randomUUID."""

    names = ("photos.test",)

    def test_everything_else_works(self):
        album = self.browse(address=f"http://photos.test:{self.server.wire.port}/", hosts="MAP photos.test 127.0.0.1")
        self.assertFalse(album.browser.execute_script("return isSecureContext || 'randomUUID' in crypto || 'locks' in navigator"))
        album.add(*photos.save(self.folder, 3))
        album.until_all("done", 3)
        self.compare(album, "photo-02.jpg").close()
        self.assertFalse(album.one("#notify").is_displayed())
        album.browser.refresh()
        album.settle()
        album.until_all("done", 3)


class Tokens(WebCase):
    options = ("--auth", "token")

    def enter(self, album, token):
        album.wait(lambda: album.one("#token").is_displayed(), "no token is asked for")
        album.one("#token").clear()
        album.one("#token").send_keys(token)
        album.one("#login button").click()

    def test_a_token_opens_the_page_and_signing_out_leaves_nothing(self):
        from selenium.webdriver.common.keys import Keys
        from case import start_browser
        from pages import Album
        anna, berta = map(self.server.token, ("anna", "berta"))  # known to the server a second later, before any browser is there
        browser = start_browser()
        self.addCleanup(browser.quit)
        album = Album(browser, self.server.address)
        browser.get(album.address)
        self.enter(album, "lapse_wrong")
        album.wait(lambda: album.one("#login-word").text, "nothing is said about a wrong token")
        self.shoot(album, "token")
        self.examine(album, "the question for a token")
        album.keys(Keys.ESCAPE)
        self.enter(album, anna)
        album.settle()
        album.add(*photos.save(self.folder, 2))
        album.until_all("done", 2)
        album.one("#sign-out").click()
        album.wait(album.was_reloaded, "the page of the one who signed out stays")
        self.enter(album, berta)
        album.settle()
        self.assertEqual(album.jobs(), [])
        self.assertEqual(album.tiles(), [])


if __name__ == "__main__":
    unittest.main()
