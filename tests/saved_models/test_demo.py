"""The page that writes in a browser, in a real one, without a network."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from tests.browser import probed
from toolkit.export import run_tflite

pytestmark = pytest.mark.slow
SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "saved_models" / "handwriting_synthesis"
TEXT, SEED = "A pen, 12", 5
# Writes a line through pen.js; then uses the page as a person would: a text it cannot write, and one that it can.
PROBE = """<!doctype html><script type="importmap">{"imports": {
  "@litertjs/core": "./node_modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "./node_modules/@litertjs/wasm-utils/dist/index.js"}}</script>
<iframe id="page" src="index.html" style="width:900px;height:500px"></iframe>
<script type="module">
import {lines, noise, Pen} from './pen.js';
const report = {};
const wait = (condition) => new Promise((done) => {
  const timer = setInterval(() => condition() && (clearInterval(timer), done()), 20);
});
try {
  const pen = await Pen.load('../model.tflite', '../card.json', './node_modules/@litertjs/core/wasm/');
  const numbers = noise(pen.maxPoints, SEED);
  report.noise = [...numbers];
  report.strokes = [];
  for await (const point of pen.write(TEXT, 1, numbers)) report.strokes.push([...point]);
  report.unknown = pen.unknown('aé#é');
  report.lines = lines(' one two  three', 7);
  const page = document.getElementById('page').contentDocument;
  const get = (id) => page.getElementById(id);
  await wait(() => !get('write').disabled);
  const press = async (text) => {
    get('status').textContent = '';
    get('text').value = text;
    get('write').click();
    await wait(() => get('status').textContent);
    return get('status').textContent;
  };
  report.messages = [await press('caf\\u00e9'), await press(' '), await press('ab '.repeat(90)), await press('it')];
  report.paths = [...page.querySelectorAll('#paper path')].map((path) => path.getAttribute('d'));
  report.saves = !get('save').disabled;
} catch (error) {
  report.error = String(error.stack || error);
}
await fetch('/report', {method: 'POST', body: JSON.stringify(report)});
</script>""".replace("TEXT", repr(TEXT)).replace("SEED", str(SEED))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped folder, and the runtime from npm beside the page."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(SHIPPED / "demo", folder / "demo", ignore=shutil.ignore_patterns("node_modules"))
    for name in ("model.tflite", "card.json"):
        shutil.copy(SHIPPED / name, folder)
    if (SHIPPED / "demo" / "node_modules").is_dir():
        (folder / "demo" / "node_modules").symlink_to(SHIPPED / "demo" / "node_modules")
        return folder
    if shutil.which("npm") is None:
        pytest.skip("the page was NOT opened: there is no npm, which installs its runtime")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    made = subprocess.run(command, cwd=folder / "demo", capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"the page was NOT opened: npm could not install its runtime: {made.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def report(folder):
    return probed(folder, "demo/probe.html", PROBE)


def test_writes_what_the_interpreter_writes(report, folder):
    """The loop in JavaScript over `step` against the loop inside the file, on the same noise."""
    noise = np.array(report["noise"], "float32").reshape(1, -1, 4)
    codes = np.zeros((1, 64), "int32")
    codes[0, : len(TEXT)] = list(map(ord, TEXT))
    feeds = {"generate_from_noise": {"text": codes, "bias": np.ones(1, "float32"), "noise": noise}}
    line = run_tflite(folder / "model.tflite", feeds)[0]["generate_from_noise"]
    strokes = np.array(report["strokes"])
    assert len(strokes) == line["length"][0] > 20
    np.testing.assert_allclose(strokes, line["strokes"][0, : len(strokes)], atol=1e-3)


def test_noise_is_uniform_and_normal(report):
    noise = np.array(report["noise"]).reshape(-1, 4)
    assert (0 <= noise[:, [0, 3]]).all() and (noise[:, [0, 3]] < 1).all()
    np.testing.assert_allclose(noise.mean(axis=0), [0.5, 0, 0, 0.5], atol=0.15)
    np.testing.assert_allclose(noise.std(axis=0), [12**-0.5, 1, 1, 12**-0.5], atol=0.1)


def test_the_page(report):
    unknown, empty, long, written = report["messages"]
    assert "é" in unknown and "cannot write" in unknown
    assert "Type a text" in empty and "too many" in long
    assert "ms a line" in written and report["saves"]
    assert len(report["paths"]) >= 2 and all(path.startswith("M") for path in report["paths"])
    assert report["unknown"] == ["é", "#"] and report["lines"] == ["one two", "three"]
