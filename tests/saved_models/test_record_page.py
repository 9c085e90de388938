"""The page that records a hand, in a real browser: strokes as a pen's events, kept, saved and read."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from tests.browser import probed
from toolkit.data.strokes.files import read_lines
from toolkit.data.strokes.lines import ALPHABET

pytestmark = pytest.mark.slow
DEMO = pathlib.Path(__file__).resolve().parents[2] / "saved_models" / "demo"
# In pen units from the left margin and the base line; the last one is a dot.
STROKES = [[[0, 0], [5, -10], [10, -21]], [[15, 0], [20, 8.5]], [[30, -4]]]
PROBE = """<!doctype html><iframe id="page" src="record.html" style="width:900px;height:900px"></iframe>
<script type="module">
const report = {};
const wait = (condition) => new Promise((done) => {
  const timer = setInterval(() => condition() && (clearInterval(timer), done()), 20);
});
const frame = document.getElementById('page');
const open = async () => {
  await wait(() => frame.contentDocument?.getElementById('paper')?.querySelector('.ink'));
  return {page: frame.contentDocument, get: (id) => frame.contentDocument.getElementById(id)};
};
try {
  let {page, get} = await open();
  const PointerEvent = frame.contentWindow.PointerEvent;
  const draw = (strokes, end = 'pointerup') => {
    const paper = get('paper');
    for (const points of strokes) {
      points.forEach(([x, y], number) => {
        const at = new DOMPoint(x + 12, y + 56).matrixTransform(paper.getScreenCTM());
        const how = {pointerId: 7, button: 0, clientX: at.x, clientY: at.y, bubbles: true, cancelable: true};
        paper.dispatchEvent(new PointerEvent(number ? 'pointermove' : 'pointerdown', how));
      });
      paper.dispatchEvent(new PointerEvent(end, {pointerId: 7}));
    }
  };
  const press = (id) => { get(id).click(); return get('status').textContent; };
  const inked = () => page.querySelectorAll('#paper .ink path').length;
  report.first = get('text').value;
  report.disabled = ['undo', 'clear', 'keep', 'save', 'delete'].map((id) => get(id).disabled);
  draw(STROKES);
  report.inked = [inked()];
  press('undo');
  report.inked.push(inked());
  draw([STROKES[2]], 'pointercancel');
  report.inked.push(inked());
  press('clear');
  report.inked.push(inked());
  draw(STROKES);
  report.messages = [];
  for (const said of ['', 'caf\\u00e9', 'ab '.repeat(20)]) {
    get('text').value = said;
    report.messages.push(press('keep'));
  }
  get('text').value = report.first;
  report.messages.push(press('keep'));
  report.second = get('text').value;
  report.left = inked();
  draw([STROKES[1]]);
  get('text').value = ' of my own ';
  report.messages.push(press('keep'));
  report.pictures = page.querySelectorAll('#lines path').length;
  // What is saved, as the browser would write it into a file.
  const create = frame.contentWindow.URL.createObjectURL;
  let blob;
  frame.contentWindow.URL.createObjectURL = (found) => {
    blob = found;
    return create.call(frame.contentWindow.URL, found);
  };
  const click = frame.contentWindow.HTMLAnchorElement.prototype.click;
  frame.contentWindow.HTMLAnchorElement.prototype.click = function () { report.file = this.download; };
  press('save');
  frame.contentWindow.HTMLAnchorElement.prototype.click = click;
  report.saved = await blob.text();
  // A page that is closed and opened again has lost nothing.
  page.documentElement.remove();
  frame.src = 'record.html?again';
  ({page, get} = await open());
  report.again = page.querySelectorAll('#lines li').length;
  page.querySelector('#lines button').click();
  report.kept = JSON.parse(frame.contentWindow.localStorage.getItem('recordings')).map((line) => line.text);
  frame.contentWindow.confirm = () => true;
  press('delete');
  report.deleted = frame.contentWindow.localStorage.getItem('recordings');
} catch (error) {
  report.error = String(error.stack || error);
}
await fetch('/report', {method: 'POST', body: JSON.stringify(report)});
</script>""".replace("STROKES[2]", json.dumps(STROKES[2])).replace("STROKES[1]", json.dumps(STROKES[1]))
PROBE = PROBE.replace("STROKES", json.dumps(STROKES))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(DEMO, folder / "demo", ignore=shutil.ignore_patterns("node_modules"))
    return probed(folder, "demo/probe.html", PROBE)


def test_what_is_saved_is_read(report, tmp_path):
    assert report["file"] == "recordings.json"
    (tmp_path / "recordings.json").write_text(report["saved"])
    first, second = read_lines(tmp_path / "recordings.json")
    assert (first.text, second.text) == (report["first"], "of my own")
    points = np.concatenate(STROKES)
    # The events' positions are whole pixels, of which two are a unit.
    np.testing.assert_allclose(np.cumsum(first.offsets[:, :2], axis=0), points - points[0], atol=0.7)
    np.testing.assert_array_equal(first.offsets[:, 2], [0, 0, 1, 0, 1, 1])
    np.testing.assert_allclose(json.loads(report["saved"])["lines"][0]["strokes"][0], STROKES[0], atol=0.5)


def test_strokes_can_be_taken_back(report):
    assert report["disabled"] == [True] * 5
    assert report["inked"] == [3, 2, 2, 0] and report["left"] == 0 and report["pictures"] == 4


def test_what_cannot_be_learned_is_said(report):
    empty, unknown, long, kept, second = report["messages"]
    assert "Type what you have written" in empty and "cannot learn é" in unknown and "at most 40" in long
    assert kept.startswith("1 line kept") and second.startswith("2 lines kept")
    assert report["second"] != report["first"]


def test_nothing_is_lost_with_the_page(report):
    assert report["again"] == 2 and report["kept"] == ["of my own"] and report["deleted"] == "[]"


def test_the_texts_to_copy_have_every_character():
    script = (DEMO / "record.js").read_text()
    known = script.split("const KNOWN = '")[1].split("';\n")[0].replace("\\'", "'")
    assert known == ALPHABET
    prompts = script.split("const PROMPTS = [")[1].split("\n];")[0].replace("\\'", "'")
    assert set(ALPHABET) <= set(prompts)
