#!/usr/bin/python3
"""The whole story with twelve photos, in both languages, on a phone and on a desktop: upload, go on, and the sharper picture appears."""

import unittest

import photos
from case import DESKTOP, PHONE, WebCase

WORDS = {
    "en": {"uploaded": "Your photo is uploaded.", "done": "Done", "waited": "You waited", "heading": "Sharper photos, without the wait"},
    "ko": {"uploaded": "사진을 업로드했습니다.", "done": "완료", "waited": "기다린 시간", "heading": "기다리지 않아도 선명해지는 사진"},
}


class Story(WebCase):
    def tell(self, language, size, dark):
        words, name = WORDS[language], f"{language}-{'phone' if size == PHONE else 'desktop'}-{'dark' if dark else 'light'}"
        files = photos.save(self.folder, 12)
        album = self.browse(language=language, size=size, dark=dark)
        self.assertEqual(album.browser.execute_script("return document.documentElement.lang"), language)
        self.assertEqual(album.one("h1").text.replace("\n", " "), words["heading"])
        self.shoot(album, f"{name}-1-empty")
        self.examine(album, "the empty album")

        album.add(files[0])
        album.wait(lambda: album.tile("photo-01.jpg"), "no tile at once")
        album.wait(lambda: words["uploaded"] in album.heard(), f"it is not said that the photo is uploaded: {album.heard()}")
        album.wait(lambda: album.tile("photo-01.jpg")["picture"], "the tile does not show the photo")
        album.add(*files[1:])
        album.wait(lambda: len(album.tiles()) == 12, "not every photo has a tile")
        album.wait(lambda: "done" in album.states(), "none is ever done")
        self.shoot(album, f"{name}-2-working")
        self.examine(album, "work in progress")
        album.show("done")  # nothing blocks meanwhile
        album.wait(lambda: "true" in album.one("[data-filter=done]").get_attribute("aria-current"), "the shelf does not change")
        album.until_all("done", 12)
        self.assertFalse(album.was_reloaded())
        self.assertEqual(album.counts(), {"all": 12, "working": 0, "done": 12, "failed": 0})
        self.assertEqual({tile["says"] for tile in album.tiles()}, {words["done"]})
        self.assertTrue(all(words["waited"] in tile["note"] for tile in album.tiles()), album.tiles())
        self.assert_fits(album)
        self.shoot(album, f"{name}-3-done")
        self.examine(album, "all done")
        self.look(album, name)

        album.press("photo-05.jpg", "delete")
        self.examine(album, "the question")
        album.confirm("yes")
        album.wait(lambda: album.tile("photo-05.jpg") is None, "it is still there")
        self.assertEqual(len(album.jobs()), 11)
        self.assertLessEqual(self.server.wire.most_uploads, 3)

    def look(self, album, name):
        compare = self.compare(album, "photo-03.jpg")
        before, after = compare.sizes()
        self.assertEqual(before, (480, 360))
        self.assertEqual(after, (960, 720))
        self.shoot(compare, f"{name}-4-compare")
        self.examine(compare, "before and after")
        compare.one("#zoom-pixels").click()
        self.assertAlmostEqual(compare.scale()[0], 1, delta=0.01)
        self.shoot(compare, f"{name}-5-pixels")
        kind, size = compare.browser.execute_async_script(
            "const done = arguments[0]; fetch(document.getElementById('compare-download').href).then(async (reply) => done([reply.headers.get('content-type'), (await reply.blob()).size]))")
        self.assertEqual(kind, "image/jpeg")
        self.assertGreater(size, 1000)
        compare.close()

    def test_in_english_on_a_desktop(self):
        self.tell("en", DESKTOP, dark=False)

    def test_in_korean_on_a_desktop(self):
        self.tell("ko", DESKTOP, dark=True)

    def test_in_english_on_a_phone(self):
        self.tell("en", PHONE, dark=True)

    def test_in_korean_on_a_phone(self):
        self.tell("ko", PHONE, dark=False)


if __name__ == "__main__":
    unittest.main()
