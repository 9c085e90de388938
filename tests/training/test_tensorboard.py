"""What a run writes is there for TensorBoard's real server, and on its page in a real browser."""

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.browser import visit
from toolkit import settings
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.training import Run

pytestmark = pytest.mark.slow
COLOR = 255, 0, 255  # TensorBoard's page has none of it
VECTORS = np.random.default_rng(1).standard_normal((6, 4)).astype("float32")
INPUTS = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")


@settings.recipe
class Example(settings.Devices):
    epochs: int = 3


def batches():
    signature = (tf.TensorSpec([None, 3]), tf.TensorSpec([None, 1]))
    return Batches(
        lambda i: (INPUTS[i], INPUTS[i].sum(axis=1, keepdims=True)),
        shuffled_plan(40, 8, seed=0),
        signature,
        num_examples=40,
    )


@pytest.fixture(scope="module", name="run")
def trained(tmp_path_factory):
    run = Run(Example(workdir=str(tmp_path_factory.mktemp("run")), profile_steps=2), recipe="example")
    with run.scope():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name="first"), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.01), loss="mse")
    run.fit(
        model,
        batches(),
        batches(),
        pictures=lambda: {"training/color": np.full((60, 90, 3), COLOR, "uint8")},
    )
    run.report({"error_mm": 1.5})
    run.embedding("codebook", VECTORS, [{"code": code, "uses": 10 * code} for code in range(len(VECTORS))])
    yield run
    run.close()


@pytest.fixture(scope="module", name="address")
def server(run):
    """TensorBoard on a free port of this machine."""
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir={run.workdir / 'logs'}", "--host=127.0.0.1"]
    process = subprocess.Popen(
        [*command, f"--port={port}", "--load_fast=false"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
        while True:
            try:
                if "train" in ask(address, "/data/runs"):
                    break
            except OSError:
                pass
            assert process.poll() is None and time.monotonic() < end, "TensorBoard does not start"
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def fetch(address, path):
    with urllib.request.urlopen(address + path, timeout=20) as answer:
        return answer.read()


def ask(address, path):
    return json.loads(fetch(address, path))


def test_scalars(address):
    tags = ask(address, "/data/plugin/scalars/tags")
    assert {"loss", "learning_rate", "weight_norm/first", "gradient_norm/first", "gradient_norm/all"} <= set(
        tags["train"]
    )
    assert "loss" in tags["validation"] and "error_mm" in tags["test"]
    series = ask(address, "/data/plugin/scalars/scalars?run=test&tag=error_mm")
    assert [(step, value) for _, step, value in series] == [(15, 1.5)]
    losses = [value for _, _, value in ask(address, "/data/plugin/scalars/scalars?run=train&tag=loss")]
    assert len(losses) == 3 and losses[0] > losses[2]


def test_pictures(address, run, tmp_path):
    assert "training/color" in ask(address, "/data/plugin/images/tags")["pictures"]
    samples = ask(address, "/data/plugin/images/images?run=pictures&tag=training/color")
    assert [sample["step"] for sample in samples] == [5, 10, 15]
    (tmp_path / "shown.png").write_bytes(fetch(address, f"/data/plugin/images/individualImage?{samples[2]['query']}"))
    with Image.open(tmp_path / "shown.png") as shown, Image.open(run.path("pictures", "training", "color.png")) as kept:
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(kept))


def test_settings_graph_and_profile(address, run):
    assert "settings" in str(ask(address, "/data/plugin/text/tags")["train"])
    text = ask(address, "/data/plugin/text/text?run=train&tag=settings")[0]["text"]
    assert "batch" in text and "keras" in text and "3." in text
    assert "model" in str(ask(address, "/data/plugin/graphs/info")["train"])
    traces = list((run.workdir / "logs").rglob("*.xplane.pb"))
    assert len(traces) == 1 and traces[0].stat().st_size > 1000


def test_projector(address):
    """The vectors and what is known of them, as the Projector's page asks for them."""
    assert "pictures" in ask(address, "/data/plugin/projector/runs")
    (info,) = ask(address, "/data/plugin/projector/info?run=pictures")["embeddings"]
    assert (info["tensorName"], info["tensorShape"]) == ("codebook", [6, 4])
    content = fetch(address, "/data/plugin/projector/tensor?run=pictures&name=codebook&num_rows=100")
    np.testing.assert_allclose(np.frombuffer(content, "float32").reshape(6, 4), VECTORS, rtol=1e-6)
    rows = fetch(address, "/data/plugin/projector/metadata?run=pictures&name=codebook&num_rows=100").decode()
    assert rows.splitlines()[:2] == ["code\tuses", "0\t0"]


def test_the_page_shows_the_pictures(address, tmp_path):
    visit(f"{address}/#images", "--window-size=1200,900", f"--screenshot={tmp_path / 'page.png'}")
    with Image.open(tmp_path / "page.png") as page:
        shown = (np.asarray(page.convert("RGB")) == COLOR).all(axis=2)
    assert shown.sum() > 60 * 90, "the picture is not on the page"
