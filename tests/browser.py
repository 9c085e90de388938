"""Chromium without a window, offline, for tests that look at a page; skips where there is none."""

import contextlib
import functools
import http.server
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading

import pytest

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # and no address but this machine's


@contextlib.contextmanager
def _profile():
    """The command up to the address, and its environment, with a profile of its own."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("the page was NOT opened: there is no Chromium. Install it: apt-get install chromium")
    # A short path: Chromium makes sockets there, whose names may have a hundred characters.
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as profile:
        command = [chromium, *_FLAGS.split(), _OFFLINE, f"--user-data-dir={profile}"]
        yield command, {**os.environ, "TMPDIR": profile, "HOME": profile}


def visit(address: str, *arguments: str, milliseconds: int = 20_000) -> str:
    """What Chromium prints, after so many milliseconds of the page's own time: with --dump-dom, the page."""
    with _profile() as (command, environment):
        command += [f"--virtual-time-budget={milliseconds}", *arguments, address]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True).stdout


def probed(folder, page: str, probe: str, *, timeout: float = 180) -> dict:
    """What a page posts to /report as JSON, opened from a folder that is served.

    Args:
        folder: What is served.
        page: Where the probe stands, a path in it such as "demo/probe.html".
        probe: The page that does as a person would, and reports; "error" in the report fails.
    """
    reports = queue.Queue()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path != f"/{page}":
                return super().do_GET()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(probe.encode())

        def do_POST(self):
            reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with _profile() as (command, environment):
            command += ["--remote-debugging-port=0", f"http://127.0.0.1:{server.server_port}/{page}"]
            nothing = subprocess.DEVNULL
            with subprocess.Popen(command, env=environment, stdout=nothing, stderr=nothing) as browser:
                try:
                    report = reports.get(timeout=timeout)
                finally:
                    browser.kill()
    finally:
        server.shutdown()
        server.server_close()
    assert "error" not in report, report["error"]
    return report
