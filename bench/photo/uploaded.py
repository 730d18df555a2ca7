#!/usr/bin/python3
"""How long a person waits for "uploaded" after the last byte of a photo of 3 MB has gone, while the engine works on ten large photos.

Headless Chromium on loopback, the app's own page. Ten photos of 24 megapixels are uploaded and being worked on; then photos of 6 megapixels
(3 MB) are chosen through the page, each when the one before was said to be uploaded. Server, worker, browser and driver share the machine.

From, in the page's clock (performance.now):
  handed   the last byte of the request was handed to the socket: `sendEnd` that the browser tells its developer tools, put on the page's
           clock by the request's `requestStart` (resource timing), which is the same moment as the tools' `sendStart`
  told     the event `load` of xhr.upload: the browser says so to the page. Chromium tells of an upload ten times a second and when the answer
           begins; of so short a one it tells after the acknowledgement, so what is counted from there is too short
  sent     xhr.send(): all of the upload is in it, and how the browser reads the file
To:
  drawn    the first task after the frame in which the message ("Your photo is uploaded." and the like) or its new number stands on the page

and `answer`: what the page shows of it, and keeps in IndexedDB as `waited.answer`: the server's word (`Server-Timing`) for how long it took from
the last byte until all was on its disk.

The page's behaviour is as it is: a listener is added to each upload, and an observer to the place of the messages.

Goal: from handed to drawn, p95 at most 100 ms.

    bench/photo/uploaded.py [--quick]
"""

import json
import os
import time

import camera
import figures

os.environ.update(LAPSE_SOURCE_DIR=str(camera.ROOT), LAPSE_BINARY_DIR=str(camera.ROOT / "build"))
import case  # noqa: E402

NAME = "photo-x2"
GOAL_SECONDS = 0.1
SPANS = {"handed": "last byte handed to the socket → message drawn", "told": "  the browser tells of the last byte → message drawn",
         "sent": "  xhr.send() → message drawn", "answer": "  the server's word: last byte → on its disk"}

WATCH = """
window.measured = [];
performance.setResourceTimingBufferSize(100000);
const send = XMLHttpRequest.prototype.send, open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, path, ...rest) {
  this.path = path;
  return open.call(this, method, path, ...rest);
};
XMLHttpRequest.prototype.send = function (body) {
  const upload = { id: this.path.match(/jobs[/]([^?]+)/)[1], url: new URL(this.path, location).href };
  this.upload.addEventListener('load', () => { upload.told = performance.now(); });
  measured.push(upload);
  upload.sent = performance.now();
  return send.call(this, body);
};
const passed = new MessageChannel();
let waiting = null;
passed.port1.onmessage = () => { waiting.drawn = performance.now(); };
new MutationObserver((changes) => {
  const said = changes.some(({ target, addedNodes }) => [target, ...addedNodes].some(
    (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest('.toast[data-kind=uploaded]')?.textContent));
  const upload = measured.at(-1);
  if (!said || !upload || upload.said) return;
  upload.said = performance.now();
  waiting = upload;
  requestAnimationFrame(() => passed.port2.postMessage(null)); // runs when the frame is done
}).observe(document.getElementById('toasts'), { childList: true, subtree: true, characterData: true });
"""

RESULT = """
const [number, done] = arguments;
const upload = measured[number];
const entry = upload && performance.getEntriesByName(upload.url).at(-1);
if (!upload?.drawn || !entry) return done(null);
const request = indexedDB.open('lapse');
request.onsuccess = () => {
  const notes = request.result.transaction('notes').objectStore('notes').get(upload.id);
  notes.onsuccess = () => {
    request.result.close();
    done(notes.result?.waited ? { told: upload.drawn, ...upload, request_start: entry.requestStart, answer: notes.result.waited.answer } : null);
  };
};
"""


def send_times(browser):
    """URL → seconds from the first byte of the request handed to the socket to the last, of the uploads since the last call."""
    found = {}
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.responseReceived":
            response = message["params"]["response"]
            timing = response.get("timing")
            if timing and "/v2/jobs/" in response["url"] and message["params"]["type"] == "XHR":
                found[response["url"]] = (timing["sendEnd"] - timing["sendStart"]) / 1e3
    return found


def one_upload(album, file):
    browser, number = album.browser, album.browser.execute_script("return measured.length")
    album.add(file)
    upload = album.wait(lambda: browser.execute_async_script(RESULT, number), f"{file.name} is never said to be uploaded")
    took = {}
    album.wait(lambda: took.update(send_times(browser)) or upload["url"] in took, "the browser's tools never tell of it")
    sending = took[upload["url"]]
    drawn, handed = upload["drawn"] / 1e3, upload["request_start"] / 1e3 + sending
    return {"handed": drawn - handed, "told": drawn - upload["told"] / 1e3, "sent": drawn - upload["sent"] / 1e3, "answer": upload["answer"],
            "said": upload["said"] / 1e3 - handed, "sending": sending}


def write(folder, name, number, photo):
    files = [folder / f"{name}-{index}.jpg" for index in range(number)]
    for file in files:
        file.write_bytes(camera.marked(photo, file.name))
    return files


def one_round(parsed, large, small):
    settings = json.loads((camera.MODELS / f"{NAME}.json").read_text())
    with figures.folder(parsed) as folder, figures.serving(parsed, folder, {NAME: camera.MODELS / f"{NAME}.onnx"}, settings={NAME: settings}) as server:
        browser = case.start_browser(logs=("browser", "performance"))
        try:
            album = case.Album(browser, "http://{}:{}/".format(*server.address)).open()
            browser.execute_script(WATCH)
            at_work = write(folder, "large", parsed.large, large)
            album.add(*at_work)
            album.wait(lambda: len(album.states()) == len(at_work) and "sending" not in album.states(), "not every large photo is uploaded")
            album.wait(lambda: "running" in album.states(), "none is ever worked on")
            browser.get_log("performance")
            uploads = []
            for file in write(folder, "small", parsed.count, small):
                uploads.append(one_upload(album, file))
                time.sleep(parsed.pause)
            left = [job for job in album.jobs() if job["label"].startswith("large") and job["state"] in ("queued", "running")]
            if album.was_reloaded() or not left:
                raise SystemExit("the page was loaded anew" if left else "the large photos were done before the last upload: take larger ones (--large-width)")
        finally:
            browser.quit()
        return {"large_photos_left": len(left), "uploads": uploads}


def main():
    parser = figures.arguments(__doc__, rounds=3, area="photo")
    parser.add_argument("--count", type=int, default=60, help="uploads a round")
    parser.add_argument("--pause", type=float, default=0, help="seconds between a message and the next upload")
    parser.add_argument("--large", type=int, default=10, help="photos that are being worked on")
    parser.add_argument("--large-width", type=int, default=6000, help="of those, pixels; two thirds as high")
    parser.add_argument("--width", type=int, default=3000, help="of the uploads")
    parsed = figures.parse(parser)
    if parsed.quick:
        parsed.count, parsed.large, parsed.large_width = 5, 3, 2400
    if case.lacking:
        raise SystemExit("there is no " + ", no ".join(case.lacking))
    large, small = (camera.jpeg(seed, width, width * 2 // 3) for seed, width in ((1, parsed.large_width), (2, parsed.width)))
    print(f"{parsed.rounds} rounds of {parsed.count} uploads of {len(small) / 1e6:.2f} MB, while {parsed.large} photos of {len(large) / 1e6:.2f} MB are being worked on",
          flush=True)
    rounds = []
    for number in range(parsed.rounds):
        rounds.append(one_round(parsed, large, small))
        file = figures.write(parsed, "uploaded", rounds, count=parsed.count, large=parsed.large, large_width=parsed.large_width, width=parsed.width,
                             pause_seconds=parsed.pause, bytes=len(small))
        print(f"  round {number + 1}: p95 {figures.percentile([each['handed'] for each in rounds[-1]['uploads']], 0.95) * 1e3:.1f} ms, "
              f"{rounds[-1]['large_photos_left']} of the large photos were not done at its end", flush=True)

    print(f"{'milliseconds':52} {'p50':>22} {'p95':>22} {'max':>8}")
    for span, label in SPANS.items():
        def cell(share):
            value = figures.median_of(rounds, lambda each: figures.percentile([upload[span] for upload in each["uploads"]], share) * 1e3)
            return "{:.1f} [{:.1f}, {:.1f}]".format(*value)
        longest = max(upload[span] for each in rounds for upload in each["uploads"]) * 1e3
        print(f"{label:52} {cell(0.5):>22} {cell(0.95):>22} {longest:>8.1f}" + (f"  goal: p95 ≤ {GOAL_SECONDS * 1e3:.0f}" if span == "handed" else ""))
    print(f"medians of the rounds' percentiles, with 95 % intervals over {len(rounds)} rounds; everything in {file}")


if __name__ == "__main__":
    main()
