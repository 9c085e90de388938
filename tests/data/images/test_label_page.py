"""The page on which a person labels images: what the server answers, and the page in a real browser."""

import html
import http.client
import json
import re
import socket
import threading
import urllib.parse

import numpy as np
import pytest

from tests.browser import visit
from toolkit.data.images.label_page import LabelPage

NAMES = ["cat", "dog", "<b>bird</b>"]
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 3)).astype("uint8")


class Asked:
    """A page that asks, in a thread as if it were a training, and what it has kept."""

    def __init__(self, page, known=(None, None, None)):
        self.kept, self.labels = [], None
        self.thread = threading.Thread(target=self.ask, args=(page, known), daemon=True)
        self.thread.start()

    def ask(self, page, known):
        self.labels = page.ask(IMAGES, known, lambda place, label: self.kept.append((place, label)), "Round 2")

    def end(self):
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()
        return self.labels.tolist()


@pytest.fixture(name="page")
def served():
    with LabelPage(NAMES) as page:
        yield page


def request(page, path, body=None, host=None, whole=False):
    parts = urllib.parse.urlsplit(page.address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        place = path if whole else parts.path + path
        headers = {"Host": host or parts.netloc}
        connection.request("GET" if body is None else "POST", place, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def state(page):
    return json.loads(request(page, "state")[1])


def tell(page, **how):
    return request(page, "label", json.dumps({"round": 1, "image": 0, "label": 1} | how))


def wait_for(asked):
    while not asked():
        pass


def test_answers_are_kept_one_by_one(page):
    asked = Asked(page, (None, 2, None))
    wait_for(lambda: state(page)["labels"])
    assert state(page) == {"round": 1, "title": "Round 2", "classes": NAMES, "labels": [None, 2, None]}
    assert tell(page, image=2, label=0) == (200, b"") and asked.kept == [(2, 0)]
    assert tell(page, image=2, label=1)[0] == 200  # on second thought
    assert asked.thread.is_alive()
    assert tell(page, image=0, label=1)[0] == 200
    assert asked.end() == [1, 2, 1] and asked.kept == [(2, 0), (2, 1), (0, 1)]


def test_pictures_are_the_images(page):
    import io

    from PIL import Image

    asked = Asked(page)
    wait_for(lambda: state(page)["labels"])
    for place, image in enumerate(IMAGES):
        _, content = request(page, f"image/1/{place}.png")
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), image)
    for wrong in ("image/1/3.png", "image/2/0.png", "image/1/-1.png", "image/../state", "image/1/0.png/x"):
        assert request(page, wrong)[0] == 404
    for place in range(3):
        tell(page, image=place)
    asked.end()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "3",
        "{",
        "[" * 900,
        '{"round": 1}',
        json.dumps({"round": 1, "image": 3, "label": 0}),
        json.dumps({"round": 1, "image": -1, "label": 0}),
        json.dumps({"round": 1, "image": 0, "label": 3}),
        json.dumps({"round": 2, "image": 0, "label": 0}),
        json.dumps({"round": 1, "image": 0.0, "label": 0}),
        json.dumps({"round": 1, "image": True, "label": 0}),
        json.dumps({"round": 1, "image": 0, "label": None}),
        '{"round": 1, "image": 0, "label": ' + "9" * 900 + "}",
    ],
)
def test_answers_that_are_none(page, body):
    asked = Asked(page)
    wait_for(lambda: state(page)["labels"])
    assert request(page, "label", body)[0] == 400 and asked.kept == []
    for place in range(3):
        tell(page, image=place)
    asked.end()


def test_who_does_not_know_the_path_learns_nothing(page):
    token = urllib.parse.urlsplit(page.address).path
    for path in ("/", "/state", token[:-1], token.upper() + "state", token[:-3] + "/state", "/%2e%2e" + token, "//"):
        status, content = request(page, path, whole=True)
        assert status == 404 and b"cat" not in content and token.strip("/").encode() not in content
    for host in ("evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""):  # a name that leads here
        assert request(page, "state", host=host or "x")[0] == 404
        assert request(page, "label", "{}", host=host or "x")[0] == 404
    port = urllib.parse.urlsplit(page.address).port
    assert request(page, "state", host=f"localhost:{port}")[0] == 200
    assert request(page, "label", "x" * 100_000)[0] == 404


def test_it_listens_at_this_machine_alone(page):
    port = urllib.parse.urlsplit(page.address).port
    addresses = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2):
            pass
    with pytest.raises(OSError, match=f"--port={port}: 127.0.0.1:{port} cannot be listened at"):
        LabelPage(NAMES, port)


# Uses the page as a person would: a key, a button, back, another class, and what is asked next.
PROBE = """
const report = {};
const wait = (condition) => new Promise((done) => {
  const timer = setInterval(() => condition() && (clearInterval(timer), done()), 20);
});
addEventListener('load', async () => {
  try {
    const get = (id) => document.getElementById(id);
    const buttons = () => [...document.querySelectorAll('#classes button')];
    const said = (words) => wait(() => get('status').textContent.includes(words));
    await said('image 1 of 3');
    report.buttons = buttons().map((button) => button.childNodes[0].textContent.trim());
    await wait(() => get('image').complete && get('image').naturalWidth);
    report.width = get('image').naturalWidth;
    dispatchEvent(new KeyboardEvent('keydown', {key: '9'}));
    dispatchEvent(new KeyboardEvent('keydown', {key: '2'}));
    await said('image 2 of 3');
    buttons()[0].click();
    await said('image 3 of 3');
    get('back').click();
    await said('image 2 of 3');
    buttons()[1].click();
    await said('image 3 of 3');
    report.left = get('status').textContent;
    buttons()[0].click();
    await said('All are told');
    report.hidden = get('image').hidden && get('back').hidden && !buttons().length;
  } catch (error) {
    report.error = String(error.stack || error);
  }
  document.title = JSON.stringify(report);
  document.body.dataset.report = document.title;
});
"""


@pytest.mark.slow
def test_the_page_in_a_browser(page, monkeypatch):
    from toolkit.data.images import label_page

    monkeypatch.setattr(label_page, "_PAGE", label_page._PAGE.replace("</html>", f"<script>{PROBE}</script></html>"))
    asked = Asked(page)
    wait_for(lambda: state(page)["labels"])
    shown = visit(page.address, "--dump-dom", milliseconds=15_000)
    report = json.loads(html.unescape(re.search('data-report="([^"]*)"', shown)[1]))
    assert "error" not in report, report["error"]
    assert asked.end() == [2, 1, 0] and asked.kept == [(0, 2), (1, 0), (1, 1), (2, 0)]
    assert report["buttons"] == NAMES and report["width"] == 6 and report["hidden"]
    assert "image 3 of 3, 1 without a class" in report["left"]
