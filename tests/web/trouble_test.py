#!/usr/bin/python3
"""What goes wrong on the way, and how the page catches up exactly: crashes, a network that is cut, reloads, bad files."""

import time
import unittest

import photos
from case import WebCase
from wire import Client


class Trouble(WebCase):
    def assert_each_once(self, album, number):
        jobs = album.jobs()
        self.assertEqual(len(jobs), number)
        self.assertEqual(len({job["label"] for job in jobs}), number, "a photo was taken twice")

    def test_a_killed_and_restarted_server_loses_nothing_and_the_page_goes_on_by_itself(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 12, 1200, 900))
        album.wait(lambda: "done" in album.states(), "none is ever done")
        self.server.crash()
        album.wait(lambda: album.one("#connection").text, "it is not said that the server is away")
        self.shoot(album, "server-away")
        self.examine(album, "a page without its server")
        album.add(*photos.save(self.folder, 2, first=20))
        album.wait(lambda: len(album.tiles()) == 14, "no tiles while the server is away")
        self.server.start()
        album.until_all("done", 14)
        self.assertFalse(album.was_reloaded())
        self.assertEqual(album.one("#connection").text, "")
        self.assert_each_once(album, 14)

    def test_a_worker_that_is_killed_between_two_tiles_costs_time_and_nothing_else(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 1, 4000, 3000), *photos.save(self.folder, 2, first=5))
        album.wait(lambda: " of " in album.tile("photo-01.jpg")["says"], "it never tells its tiles")
        self.server.kill_workers()
        album.until_all("done", 3, patience=180)
        self.assertFalse(album.was_reloaded())
        self.assertGreater(max(job["attempt"] for job in album.jobs()), 1)

    def test_an_upload_that_is_cut_off_in_the_middle_is_one_photo(self):
        album = self.browse()
        self.server.wire.pause = 0.02
        album.add(*photos.save(self.folder, 4, 1600, 1200))
        album.wait(lambda: any("Uploading" in tile["says"] for tile in album.tiles()), "nothing is uploaded")
        self.server.wire.cut()
        album.wait(lambda: album.one("#connection").text, "it is not said that there is no connection")
        self.assertNotIn("unsent", album.states())
        self.server.wire.mend()
        self.server.wire.pause = 0
        album.until_all("done", 4)
        self.assert_each_once(album, 4)

    def test_a_lost_acknowledgement_does_not_make_a_second_photo(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 3, 1600, 1200))
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:  # wherever each of them is just now
            time.sleep(0.15)
            self.server.wire.cut()
            self.server.wire.mend()
        album.until_all("done", 3)
        self.assert_each_once(album, 3)

    def test_a_reload_goes_on_with_what_was_not_sent_yet(self):
        album = self.browse()
        self.server.wire.pause = 0.02
        album.add(*photos.save(self.folder, 8, 1200, 900))
        album.wait(lambda: any("Uploading" in tile["says"] for tile in album.tiles()), "nothing is uploaded")
        order = [tile["name"] for tile in album.tiles()]
        album.wait(lambda: album.browser.execute_async_script(
            "const done = arguments[0], open = indexedDB.open('lapse'); open.onsuccess = () => { const all = open.result.transaction('files').objectStore('files').count();"
            " all.onsuccess = () => { open.result.close(); done(all.result); }; }") + len(album.jobs()) >= 8, "they are not all kept")
        album.browser.refresh()
        album.settle()
        album.wait(lambda: len(album.tiles()) == 8, "not every photo is there again")
        self.server.wire.pause = 0
        album.until_all("done", 8)
        self.assertEqual([tile["name"] for tile in album.tiles()], order)
        self.assert_each_once(album, 8)

    def test_what_happened_behind_a_cut_wire_is_caught_up(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 4))
        album.until_all("done", 4)
        self.behind_a_cut_wire(album, album.tile("photo-01.jpg")["id"])  # replayed from where the stream broke
        album.wait(lambda: len(album.tiles()) == 3, "what was deleted elsewhere is still there")
        album.browser.refresh()  # from now on the page has heard no event, and so knows no place to go on from
        album.settle()
        album.wait(lambda: len(album.tiles()) == 3, "not every photo is there again")
        self.behind_a_cut_wire(album, album.tile("photo-02.jpg")["id"])
        album.wait(lambda: len(album.tiles()) == 2, "what was deleted elsewhere is still there")

    def behind_a_cut_wire(self, album, job):
        """Deletes a photo as another device of the same person would."""
        self.server.wire.cut()
        album.wait(lambda: album.one("#connection").text, "it is not said that there is no connection")
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in album.browser.get_cookies())
        self.assertEqual(Client(self.server.server).ask("DELETE", f"/v2/jobs/{job}", headers={"Cookie": cookies}).status, 200)
        self.server.wire.mend()

    def test_each_bad_file_says_why_and_every_other_goes_on(self):
        for place, language in enumerate(("en", "ko")):
            album = self.browse(language=language)
            reasons = photos.broken(self.folder)
            album.add(*(self.folder / name for name in reasons), *photos.save(self.folder, 2))
            for name in ("photo-01.jpg", "photo-02.jpg"):
                album.until(name, "done")
            for name, says in reasons.items():
                tile = album.until(name, "failed", "unsent")
                self.assertTrue(tile["says"].startswith(says[place]), tile)
            self.assertEqual(album.counts()["failed"], 3)
            self.shoot(album, f"{language}-bad-files")
            self.examine(album, "bad files")
            asks = album.tile("empty.jpg")["state"] == "failed"  # of what the server never took there is nothing to lose
            album.press("empty.jpg", "delete")
            if asks:
                album.confirm("yes")
            album.wait(lambda: album.tile("empty.jpg") is None, "it is still there")


class Few(WebCase):
    options = ("--max-queue", 2)

    def test_a_full_queue_is_waited_for(self):
        album = self.browse()
        album.add(*photos.save(self.folder, 10, 800, 600))
        album.until_all("done", 10, patience=180)
        self.assertEqual(len(album.jobs()), 10)


if __name__ == "__main__":
    unittest.main()
