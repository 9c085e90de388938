"""Files of models that were damaged, altered, or are of another model: `.tflite`, card, vocabulary, Keras' weights."""

import json
import os
import pathlib
import random
import shutil

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.faults.hostile import DAMAGES, answer, check_answer, clear, table
from toolkit import export
from toolkit.data.text.vocabulary import Vocabulary
from toolkit.export import card as cards
from toolkit.export.__main__ import describe_tflite
from toolkit.models import pretrained
from toolkit.serving.language_model import TextWriter

TOKENS = Vocabulary.of(["abc \n"], "char")


def network(units=4, depth=2):
    inputs = x = keras.Input((6,))
    for number in range(depth):
        x = keras.layers.Dense(units, name=f"dense_{number}")(x)
    return keras.Model(inputs, x, name="net")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An export with the signatures of a language model's, its vocabulary, and the same network as Keras keeps it."""
    folder = tmp_path_factory.mktemp("made")
    kernel = tf.Variable(np.random.default_rng(0).normal(size=(12, 12)).astype("float32"))

    def generate(prompt, prompt_length, length, temperature, noise):
        codes = tf.cast(tf.math.abs(noise @ kernel) * temperature, tf.int32) + 97
        return {"text": codes + 0 * prompt[:, :1], "length": length + 0 * prompt_length}

    one = ((1,), "int32")
    signatures = {
        "generate_from_noise": export.signature(
            generate, prompt=((1, 8), "int32"), prompt_length=one, length=one, temperature=((1,), "float32"),
            noise=((1, 12), "float32"),
        ),
        "step": export.signature(
            lambda token: {"logits": tf.cast(token[:, None], tf.float32) * tf.ones((1, len(TOKENS.tokens)))}, token=one
        ),
    }  # fmt: skip
    export.write(folder / "export", signatures, card={"vocabulary": TOKENS.as_dict()})
    shutil.copytree(folder / "export", folder / "alone", ignore=shutil.ignore_patterns("card.*", "saved_model"))
    (folder / "vocabulary.json").write_text(json.dumps(TOKENS.as_dict()))
    keras.utils.set_random_seed(0)
    network().save(folder / "a.keras")
    network().save_weights(folder / "a.weights.h5")
    network().save(folder / "a.h5")
    return folder


def write(folder):
    return TextWriter(folder).write([1, 2], 5)


def look(path):
    """As a program that has the file alone: what is in it, and that it opens."""
    found = export.inspect_tflite(path)
    export.tflite_caller(path)
    return found


READ = {
    "export/model.tflite": lambda path: write(path.parent),
    "export/card.json": lambda path: write(path.parent),
    "alone/model.tflite": look,
    "vocabulary.json": Vocabulary.read,
    "a.keras": lambda path: pretrained.load_file(network(), str(path)),
    "a.weights.h5": lambda path: pretrained.load_file(network(), str(path)),
    "a.h5": lambda path: pretrained.load_file(network(), str(path)),
}


@pytest.fixture
def copied(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("export", "alone"):
        shutil.copytree(made / name, tmp_path / name, ignore=shutil.ignore_patterns("saved_model"))
    for path in made.glob("*.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_good_files_work(copied):
    for name, read in READ.items():
        check_answer(lambda name=name, read=read: read(copied / name), [], "works")


@pytest.mark.parametrize(
    "name, damage", table((f"{name}: {damage}", name, damage) for name in READ for damage in DAMAGES)
)
def test_damaged(name, damage, copied):
    path = copied / name
    DAMAGES[damage](path)
    error = check_answer(lambda: READ[name](path), [path.name])
    if name == "export/model.tflite":
        assert error is not None, "it is not the file that the card describes"


def altered():
    """(name, entries of the card that are changed, by their path)."""
    inputs = ["signatures", "generate_from_noise", "inputs"]
    for value in (None, 3, [], "text", {}, [[]], True, float("nan"), 10**30):
        shown = repr(value)
        yield f"signatures {shown}", ["signatures"], value
        yield f"a signature {shown}", inputs[:2], value
        yield f"inputs {shown}", inputs, value
        yield f"an input {shown}", [*inputs, "noise"], value
        yield f"a shape {shown}", [*inputs, "noise", "shape"], value
        yield f"a unit {shown}", [*inputs, "noise", "unit"], value
        yield f"files {shown}", ["files"], value
        yield f"a file {shown}", ["files", "model.tflite"], value
        yield f"a size {shown}", ["files", "model.tflite", "bytes"], value
        yield f"a digest {shown}", ["files", "model.tflite", "sha256"], value
        yield f"a vocabulary {shown}", ["vocabulary"], value
        yield f"a level {shown}", ["vocabulary", "level"], value
        yield f"tokens {shown}", ["vocabulary", "tokens"], value
        yield f"a token {shown}", ["vocabulary", "tokens", 2], value
    yield "too few tokens", ["vocabulary", "tokens"], ["<unk>", "a"]
    yield "too many tokens", ["vocabulary", "tokens"], ["<unk>", *map(chr, range(100, 200))]
    yield "a token twice", ["vocabulary", "tokens", 2], TOKENS.tokens[1]
    yield "a long token", ["vocabulary", "tokens", 2], "aa"


@pytest.mark.parametrize("where, value", table(altered()))
def test_an_altered_card(where, value, copied):
    path = copied / "export" / "card.json"
    card = json.loads(path.read_text())
    *above, last = where
    entry = card
    for key in above:
        entry = entry[key]
    entry[last] = value
    path.write_text(json.dumps(card))
    check_answer(lambda: write(path.parent), ["card.json"])
    check_answer(lambda: export.inspect_tflite(path.with_name("model.tflite")), ["card.json"])


def giant(path):
    with h5py.File(path, "r+") as file:
        name = "layers/dense/vars/0"
        del file[name]
        file.create_dataset(name, shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1 << 10, 1 << 10))


def linked(path):
    with h5py.File(path, "r+") as file:
        del file["layers/dense"]
        file["layers/dense"] = h5py.ExternalLink("/etc/passwd", "/")


OTHERS = {
    "of more units": lambda path: network(units=5).save_weights(path),
    "of fewer layers": lambda path: network(depth=1).save_weights(path),
    "of no layers": lambda path: h5py.File(path, "w").close(),
    "with a giant": giant,
    "with a link to another file": linked,
    "without a layer": lambda path: h5py.File(path, "r+").pop("layers/dense"),
}


@pytest.mark.parametrize("make", table(OTHERS.items()))
def test_weights_of_another_network(make, copied):
    make(copied / "a.weights.h5")
    check_answer(lambda: READ["a.weights.h5"](copied / "a.weights.h5"), ["a.weights.h5"], "not a file that")


NAMES = ["", "none.h5", "a\0b.h5", "~nosuchuser/a.h5", "n" * 300 + ".h5", ".", "/dev/null", "a.txt", "imagenet "]


@pytest.mark.parametrize("name", table((repr(name[:20]), name) for name in NAMES))
def test_weights_of_another_name(name, copied):
    (copied / "a.txt").write_text("words")
    assert check_answer(lambda: pretrained.load_file(network(), name), ["weights="]) is not None


def flipped(content, seed):
    chance = random.Random(seed)
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 8, 64))):
        content[chance.randrange(len(content))] ^= chance.randrange(1, 256)
    return bytes(content)


@pytest.mark.slow
def test_two_hundred_altered_files(copied):
    """Beside its card none is taken for the file; alone, each is read or refused, in this process."""
    path, alone = copied / "export" / "model.tflite", copied / "alone" / "model.tflite"
    content = path.read_bytes()
    for seed in range(200):
        path.write_bytes(flipped(content, seed))
        assert check_answer(lambda: write(path.parent), ["model.tflite"]) is not None
        alone.write_bytes(path.read_bytes())
        clear(answer(lambda: look(alone)), ["model.tflite"])


@pytest.mark.slow
def test_a_file_that_ends_its_process_ends_no_other(copied, monkeypatch):
    """`python -m toolkit.export` opens and runs what it describes apart, and not for ever."""
    crash = "import os, sys\nif 'toolkit.export.{}' in sys.orig_argv: os.kill(os.getpid(), 11)\n"
    monkeypatch.setenv("PYTHONPATH", str(copied))
    (copied / "sitecustomize.py").write_text(crash.format("tflite_file"))
    with pytest.raises(ValueError, match=r"model.tflite: .*\(it crashed the interpreter: Segmentation fault\)"):
        describe_tflite(copied / "alone" / "model.tflite")
    (copied / "sitecustomize.py").write_text(crash.format("interpreter"))
    found = describe_tflite(copied / "alone" / "model.tflite")
    assert found["does_not_run"] == "it crashed the interpreter: Segmentation fault" and "latency_ms" not in found
    (copied / "sitecustomize.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(RuntimeError, match="not done within 0.5 seconds"):
        export.interpreter.run_tflite_apart({"a": copied / "alone" / "model.tflite"}, {}, seconds=0.5)


def test_every_shipped_file_is_the_one_that_its_card_describes():
    shipped = pathlib.Path(__file__).parents[2] / "saved_models"
    for path in shipped.glob("*/*.tflite"):
        described = cards.read_card(path.with_name("card.json"))["files"][path.name]
        assert described["bytes"] == os.path.getsize(path), path
        assert described["sha256"] == export.tflite_file.digest(path), path
