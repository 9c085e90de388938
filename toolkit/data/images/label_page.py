"""A page on this machine on which a person tells the classes of images, one after the other."""

import http.server
import io
import json
import re
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

HOST = "127.0.0.1"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Which class is it?</title>
<meta name="viewport" content="width=device-width">
<style>
body { font: 18px/1.4 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
img { display: block; width: min(20rem, 90vw); image-rendering: pixelated; border: 1px solid #bbb; margin: 1rem 0 }
button { font: inherit; margin: 0 .4rem .4rem 0; padding: .4rem .8rem; border: 1px solid #888; background: #f4f4f4 }
button:focus-visible { outline: 3px solid #4a7ab5 }
kbd { color: #666; font-size: .8em }
</style>
<h1>Which class is it?</h1>
<p id="status" role="status">...</p>
<img id="image" alt="the image to tell the class of" hidden>
<div id="classes"></div>
<p><button id="back" hidden>Back</button></p>
<script>
const get = (id) => document.getElementById(id);
let state = null, place = 0;
function next() {
  const found = state.labels.indexOf(null);
  return found < 0 ? state.labels.length : found;
}
function show() {
  const {labels, classes, title, round} = state, asked = labels.length && place < labels.length;
  const left = labels.filter((label) => label === null).length;
  get('status').textContent = asked ? `${title}: image ${place + 1} of ${labels.length}, ${left} without a class`
    : left ? '' : 'All are told. The training goes on; this page shows the next images when they are asked for.';
  get('image').hidden = !asked;
  get('back').hidden = !asked || place === 0;
  if (asked) get('image').src = `image/${round}/${place}.png`;
  get('classes').replaceChildren(...(asked ? classes : []).map((name, number) => {
    const button = document.createElement('button'), key = document.createElement('kbd');
    button.textContent = `${name} `;
    button.dataset.label = number;
    if (number < 10) { key.textContent = number; button.append(key); }
    if (labels[place] === number) button.style.background = '#cfe0f5';
    button.onclick = () => tell(number);
    return button;
  }));
}
async function tell(label) {
  if (!state || place >= state.labels.length || label >= state.classes.length) return;
  const body = JSON.stringify({round: state.round, image: place, label});
  const answer = await fetch('label', {method: 'POST', body});
  if (!answer.ok) { get('status').textContent = `Not kept: ${await answer.text()}`; return; }
  state.labels[place] = label;
  place = state.labels[place + 1] === null ? place + 1 : next();
  show();
}
get('back').onclick = () => { place -= 1; show(); };
addEventListener('keydown', (event) => {
  if (/^[0-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) tell(Number(event.key));
});
async function poll() {
  try {
    const found = await (await fetch('state')).json();
    if (!state || state.round !== found.round) {
      state = found;
      place = next();
      show();
    }
  } catch {
    get('status').textContent = 'The training has ended, or was stopped; the same command goes on.';
    state = null;
  }
  setTimeout(poll, 1000);
}
poll();
</script></html>"""


class LabelPage:
    """Serves the page on 127.0.0.1 alone, under a path that nobody can guess, until it is closed.

    Another page in the same browser, or another user of the machine, does not know that path; and what is asked for
    under another name of the host is refused.

    Args:
        class_names: What the classes are called.
        port: At which it listens; 0: one that is free.

    Attributes:
        address: What to open in a browser.

    Raises:
        OSError: Where the port is taken.

    Example:

    >>> with LabelPage(["cat", "dog"]) as page:
    ...     page.address.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, class_names: Sequence[str], port: int = 0) -> None:
        self._names, self._token = list(class_names), secrets.token_urlsafe(16)
        self._round, self._title, self._pictures = 0, "", []
        self._labels: list[int | None] = []
        self._keep: Callable[[int, int], None] = lambda place, label: None
        self._lock, self._told = threading.Lock(), threading.Condition()
        try:
            self._server = http.server.ThreadingHTTPServer((HOST, port), self._handler())
        except OSError as error:
            raise OSError(f"--port={port}: {HOST}:{port} cannot be listened at: {error.strerror}.") from error
        self._server.daemon_threads = True
        self.address = f"http://{HOST}:{self._server.server_port}/{self._token}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "LabelPage":
        """Is the page itself."""
        return self

    def __exit__(self, *_: Any) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()

    def ask(
        self,
        images: np.ndarray,
        known: Sequence[int | None],
        keep: Callable[[int, int], None],
        title: str = "",
    ) -> np.ndarray:
        """Shows images, and waits until each has a class; Ctrl-C ends the waiting.

        Args:
            images: uint8 (n, height, width, 1 or 3).
            known: (n,), the classes that are told already; None: not yet.
            keep: Called with an image's place and its class as soon as that is told, or told anew.
            title: What the page says of them.

        Returns:
            int32 (n,), the classes.
        """
        with self._lock:
            self._round += 1
            self._title, self._pictures, self._keep = title, [_png(image) for image in images], keep
            self._labels = list(known)
        with self._told:
            while None in self._labels:
                self._told.wait(0.5)  # a signal is looked at between
        return np.array(self._labels, "int32")

    def _state(self):
        with self._lock:
            return {"round": self._round, "title": self._title, "classes": self._names, "labels": self._labels}

    def _tell(self, content):
        """Keeps an answer; a sentence where it is none."""
        try:
            answer = json.loads(content)
            number, place, label = (answer[name] for name in ("round", "image", "label"))
        except (ValueError, KeyError, TypeError, RecursionError):
            return "expected JSON with round, image and label"
        if not all(type(each) is int for each in (number, place, label)):
            return "round, image and label are whole numbers"
        with self._lock:
            if number != self._round:
                return "these images are not asked for any more"
            if not 0 <= place < len(self._labels) or not 0 <= label < len(self._names):
                return "there is no such image, or no such class"
            try:
                self._keep(place, label)
            except OSError as error:
                return str(error)
            self._labels[place] = label
        with self._told:
            self._told.notify_all()
        return ""

    def _picture(self, path):
        number, _, place = path.removeprefix("image/").removesuffix(".png").partition("/")
        with self._lock:
            names = {str(place): picture for place, picture in enumerate(self._pictures)}
            return names.get(place) if number == str(self._round) else None

    def _handler(self):
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            server_version, sys_version = "labels", ""
            timeout = 30

            def path_inside(self):
                """What is asked for below the secret path; None where somebody else asks."""
                ours = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
                start = f"/{page._token}/"
                inside = self.headers.get("Host") in ours and secrets.compare_digest(
                    self.path[: len(start)].encode("utf-8", "replace"), start.encode()
                )
                return self.path[len(start) :] if inside else None

            def answer(self, content, kind, status=200):
                self.send_response(status)
                headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store"}
                headers |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
                headers["Content-Security-Policy"] = (
                    "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'"
                )
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self):
                path = self.path_inside()
                picture = page._picture(path) if path and path.startswith("image/") else None
                if path == "":
                    self.answer(_PAGE.encode(), "text/html; charset=utf-8")
                elif path == "state":
                    self.answer(json.dumps(page._state()).encode(), "application/json")
                elif picture is not None:
                    self.answer(picture, "image/png")
                else:
                    self.answer(b"There is nothing here.", "text/plain; charset=utf-8", 404)

            def do_POST(self):
                length = self.headers.get("Content-Length", "")
                if self.path_inside() != "label" or not re.fullmatch("[0-9]{1,4}", length):
                    self.close_connection = True
                    return self.answer(b"There is nothing here.", "text/plain; charset=utf-8", 404)
                wrong = page._tell(self.rfile.read(int(length)))
                self.answer(wrong.encode(), "text/plain; charset=utf-8", 400 if wrong else 200)

            def log_message(self, *_):
                pass

        return Handler


def _png(image):
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(content, "PNG")
    return content.getvalue()
