"""The pages that write in a browser, by hand and as text, in a real one, without a network."""

import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from tests.browser import probed
from toolkit.export import run_tflite

pytestmark = pytest.mark.slow
SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "saved_models"
PEN, WRITER = "handwriting_synthesis", "text_prediction"
TEXT, SEED = "A pen, 12", 5
# Writes a line through pen.js; then uses the page as a person would: a text it cannot write, and one that it can.
HEAD = """<!doctype html><script type="importmap">{"imports": {
  "@litertjs/core": "./node_modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "./node_modules/@litertjs/wasm-utils/dist/index.js"}}</script>
<iframe id="page" src="PAGE" style="width:900px;height:500px"></iframe>
<script type="module">
const report = {};
const wait = (condition) => new Promise((done) => {
  const timer = setInterval(() => condition() && (clearInterval(timer), done()), 20);
});
const wasm = './node_modules/@litertjs/core/wasm/';
"""
END = """
await fetch('/report', {method: 'POST', body: JSON.stringify(report)});
</script>"""
PROBE = (
    HEAD.replace("PAGE", "index.html")
    + """import {lines, noise, Pen} from './pen.js';
try {
  const pen = await Pen.load('../handwriting_synthesis/model.tflite', '../handwriting_synthesis/card.json', wasm);
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
""".replace("TEXT", repr(TEXT)).replace("SEED", str(SEED))
)
# The numbers .01 and .8 draw other tokens at another temperature.
PROMPT, LOGITS, NUMBERS = "The ", [0.1, -2.0, 1.5, 0.3], [0.0, 0.01, 0.35, 0.8, 0.999]
# Writes what is likeliest through writer.js, and draws of logits of its own; then uses the page.
TEXT_PROBE = (
    HEAD.replace("PAGE", "text.html")
    + f"""
import {{Writer}} from './writer.js';
try {{
  const writer = await Writer.load('../{WRITER}/model_dynamic.tflite', '../{WRITER}/card.json', wasm);
  report.text = '';
  for await (const character of writer.write({PROMPT!r}, 0, () => 0)) {{
    report.text += character;
    if (report.text.length >= 40) break;
  }}
  const drawing = Object.create(Writer.prototype);
  drawing.characters = [null, 'a', 'b', 'c'];
  report.drawn = {NUMBERS}.map((number) => drawing.draw(Float32Array.from({LOGITS}), 0.7, number));
  report.likeliest = drawing.draw(Float32Array.from([9, 1, 3, 2]), 0, 0.5);
  report.unknown = writer.unknown('aé\u4e2dé');
  const page = document.getElementById('page').contentDocument;
  const get = (id) => page.getElementById(id);
  await wait(() => !get('write').disabled);
  const press = async (prompt, length, seed = 1) => {{
    get('status').textContent = '';
    for (const [id, value] of Object.entries({{prompt, length, seed}})) get(id).value = value;
    get('write').click();
    await wait(() => get('status').textContent);
    return [get('status').textContent, get('text').textContent];
  }};
  report.pressed = [await press('\u4e2d', 9), await press('The ', 9000), await press('The ', 60),
                    await press('The ', 60), await press('The ', 60, 2)];
}} catch (error) {{
  report.error = String(error.stack || error);
}}
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped models, and the runtime from npm beside the pages."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(SHIPPED / "demo", folder / "demo", ignore=shutil.ignore_patterns("node_modules"))
    for name in (PEN, WRITER):
        (folder / name).symlink_to(SHIPPED / name)
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
    return probed(folder, "demo/probe.html", PROBE + END)


def test_writes_what_the_interpreter_writes(report, folder):
    """The loop in JavaScript over `step` against the loop inside the file, on the same noise."""
    noise = np.array(report["noise"], "float32").reshape(1, -1, 4)
    codes = np.zeros((1, 64), "int32")
    codes[0, : len(TEXT)] = list(map(ord, TEXT))
    feeds = {"generate_from_noise": {"text": codes, "bias": np.ones(1, "float32"), "noise": noise}}
    line = run_tflite(folder / PEN / "model.tflite", feeds)[0]["generate_from_noise"]
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


@pytest.fixture(scope="module")
def text_report(folder):
    return probed(folder, "demo/probe.html", TEXT_PROBE + END)


def test_carries_on_as_the_interpreter_does(text_report, folder):
    """The loop in JavaScript over `step` against the loop inside the file, each token the likeliest."""
    inputs = json.loads((folder / WRITER / "card.json").read_text())["signatures"]["generate_from_noise"]["inputs"]
    asked = {name: np.zeros(each["shape"], each["dtype"]) for name, each in inputs.items()}
    asked["prompt"][0, : len(PROMPT)] = list(map(ord, PROMPT))
    asked["prompt_length"][:], asked["length"][:] = len(PROMPT), 40
    feeds = {"generate_from_noise": asked}
    written = run_tflite(folder / WRITER / "model_dynamic.tflite", feeds)[0]["generate_from_noise"]["text"][0, :40]
    assert text_report["text"] == "".join(map(chr, written))


def test_draws_by_the_probabilities(text_report):
    shares = np.exp(np.array(LOGITS[1:]) / 0.7)
    expected = [1 + int(np.searchsorted(np.cumsum(shares / shares.sum()), number, side="right")) for number in NUMBERS]
    assert text_report["drawn"] == expected and len(set(expected)) > 1 and text_report["likeliest"] == 2


def test_the_page_of_text(text_report):
    (unknown, _), (long, _), (said, first), (_, again), (_, other) = text_report["pressed"]
    assert "never read \u4e2d" in unknown and "From 1 to 5000" in long and "60 characters in" in said
    assert first.startswith("The ") and len(first) == 64 and first == again != other
    assert "\u4e2d" in text_report["unknown"] and "a" not in text_report["unknown"]
