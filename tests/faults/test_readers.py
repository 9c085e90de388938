"""Every reader, each of its files damaged in every way."""

import pathlib
import socket
import tempfile

import pytest

from tests.faults import samples
from tests.faults.hostile import DAMAGES, check_answer, table, unchanged
from toolkit.data import (
    audio,
    characters,
    classified,
    factors,
    images,
    masks,
    strokes,
    tables,
    text,
    translation,
    videos,
)
from toolkit.data.audio import readers as speech_readers
from toolkit.data.characters import readers as character_readers
from toolkit.data.classified import readers as classified_readers
from toolkit.data.factors import readers as factor_readers
from toolkit.data.images import readers as image_readers
from toolkit.data.masks import readers as mask_readers
from toolkit.data.strokes import loading as stroke_readers
from toolkit.data.tables import readers as table_readers
from toolkit.data.text import readers as text_readers
from toolkit.data.translation import readers as translation_readers
from toolkit.data.videos import readers as video_readers


def load_strokes(source):
    with_text = not source.startswith(("omniglot", "quickdraw", "sketch_rnn"))
    strokes.load(source, batch_size=4, seed=0, text=with_text).train.peek()


def load_text(source):
    text.load(source).tokens["train"][:5].tolist()


def load_images(source):
    images.load(source, image_size=8, batch_size=4).splits.train.peek()


def load_masks(source):
    masks.load(source, batch_size=4).splits.train.peek()


def load_speech(source):
    audio.load(source, sample_rate=8000, window=500, batch_size=4).splits.train.peek()


def load_videos(source):
    videos.load(source, num_frames=3, image_size=16, batch_size=2).splits.train.peek()


def load_factors(source):
    factors.load(source, batch_size=4).splits.train.peek()


def load_tables(source):
    tables.load(source).split(0)


def load_characters(source):
    characters.load(source, image_size=12).splits.train.peek()


def load_translation(source):
    translation.load(source).batches("train", 4).peek()


def load_classified(source):
    assert classified.load(source).features["train"].size


DOMAINS = {
    "strokes": (stroke_readers.READERS, samples.STROKES, load_strokes),
    "text": (text_readers.READERS, samples.TEXT, load_text),
    "classified": (classified_readers.READERS, samples.CLASSIFIED, load_classified),
    "characters": (character_readers.READERS, samples.CHARACTERS, load_characters),
    "images": (image_readers.READERS, samples.IMAGES, load_images),
    "masks": (mask_readers.READERS, samples.MASKS, load_masks),
    "factors": (factor_readers.READERS, samples.FACTORS, load_factors),
    "tables": (table_readers.READERS, samples.TABLES, load_tables),
    "translation": (translation_readers.READERS, samples.TRANSLATIONS, load_translation),
    "videos": (video_readers.READERS, samples.VIDEOS, load_videos),
    "speech": (speech_readers.READERS, samples.SPEECH, load_speech),
}


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_reader_has_a_sample(domain):
    readers, made, _ = DOMAINS[domain]
    assert readers.keys() == made.keys(), "a new reader needs a line in tests/faults/samples.py"


def every_sample():
    for domain, (_, made, load) in DOMAINS.items():
        for reader, makers in made.items():
            for maker in makers:
                yield f"{domain}, {reader} {maker.__name__.strip('<>')}", maker, load


@pytest.mark.parametrize("maker, load", table(every_sample(), tenth=1))
def test_a_good_source_works(maker, load, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    check_answer(lambda: load(maker(tmp_path).source), [], "works")


def damaged():
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, maker, load) in enumerate(every_sample()):
            here = pathlib.Path(folder) / str(number)
            here.mkdir()
            for place, path in enumerate(maker(here).files):
                for damage in DAMAGES:
                    yield f"{name}, {path.name}: {damage}", maker, load, place, damage


def no_network(*_, **__):
    raise OSError(-2, "Name or service not known")


@pytest.mark.parametrize("maker, load, place, damage", table(damaged()))
def test_damaged(maker, load, place, damage, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.chdir(tmp_path)
    sample = maker(tmp_path)
    path = sample.files[place]
    DAMAGES[damage](path)
    with unchanged(tmp_path):
        check_answer(lambda: load(sample.source), [path.name, str(path), sample.source])
