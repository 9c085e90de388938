"""Codes as they were written come back, in any reader of TFRecord too; what is damaged is named."""

import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from toolkit.data import codes

SHAPE = 3, 2
RANDOM = np.random.default_rng(0)
PARTS = {
    split: [(RANDOM.integers(0, 300, (n, *SHAPE)), RANDOM.integers(0, 2, n), RANDOM.integers(1, 4, n)) for n in (4, 3)]
    for split in codes.SPLITS
}
HOW = {"shape": SHAPE, "num_codes": 300, "codebook": "abc", "label_names": ["cat", "dog"], "facts": {"nats": 1.5}}


@pytest.fixture(name="folder")
def written(tmp_path):
    codes.write(tmp_path / "codes", PARTS, **HOW)
    return tmp_path / "codes"


def whole(split):
    return [np.concatenate(each) for each in zip(*PARTS[split], strict=True)]


def test_what_was_written_is_read(folder):
    found = codes.load(folder, batch_size=4)
    assert (found.shape, found.num_codes, found.codebook) == (SHAPE, 300, "abc")
    assert (found.label_names, found.facts, found.levels) == (("cat", "dog"), {"nats": 1.5}, (SHAPE,))
    read = found.splits.test.arrays()
    for name, expected in zip(("codes", "label", "length"), whole("test"), strict=True):
        np.testing.assert_array_equal(read[name], expected)
        assert read[name].dtype == np.int32
    # The training part in an order that the seed decides.
    orders = [codes.load(folder, batch_size=7, seed=seed).splits.train.peek()["codes"] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).any()
    assert sorted(orders[0].tolist()) == sorted(whole("train")[0].tolist())


def test_tensorflows_own_reader_reads_them(folder):
    records = list(tf.data.TFRecordDataset(str(folder / "validation.tfrecord")).as_numpy_iterator())
    expected, labels, lengths = whole("validation")
    np.testing.assert_array_equal(
        [np.frombuffer(record, "<i4", 2) for record in records], np.stack([labels, lengths], axis=1)
    )
    np.testing.assert_array_equal(
        [np.frombuffer(record, "<u2", offset=8).reshape(SHAPE) for record in records], expected
    )


def test_codes_are_made_once_and_anew_of_another_codebook_or_shape(tmp_path):
    asked = []

    def kept(embeddings, shape=SHAPE):
        def codes_of(split):
            asked.append(split)
            return [(part[:, : shape[0]], labels, None) for part, labels, _ in PARTS[split]]

        how = {"num_codes": 300, "embeddings": embeddings, "label_names": ["a", "b"], "batch_size": 7}
        return codes.load_or_write(tmp_path / "codes", codes_of, shape=shape, **how)

    first = kept(np.zeros((1, 300, 2)))
    again = kept(np.zeros((1, 300, 2)))
    assert asked == list(codes.SPLITS) and again.contents == first.contents and again.label_names == ("a", "b")
    np.testing.assert_array_equal(again.splits.test.arrays()["codes"], whole("test")[0])
    assert kept(np.ones((1, 300, 2))).codebook != first.codebook and len(asked) == 6
    assert kept(np.ones((1, 300, 2)), (2, 2)).shape == (2, 2) and len(asked) == 9


def test_levels_in_one_row(tmp_path):
    parts = {split: [(codes.reshape(len(codes), -1), *rest) for codes, *rest in PARTS[split]] for split in PARTS}
    codes.write(tmp_path / "codes", parts, **{**HOW, "shape": (6,)}, levels=((1, 2), (2, 2)))
    assert codes.load(tmp_path / "codes", batch_size=4).levels == ((1, 2), (2, 2))


def test_a_row_of_more_places_than_there_can_be_codes(tmp_path, monkeypatch):
    """As of three levels of images of 1,024 pixels; and a home folder is written as it is read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    row = np.arange(2 * 86_016).reshape(2, -1) % 9
    parts = {split: [(row, np.zeros(2, int), None)] for split in codes.SPLITS}
    levels = ((64, 64), (128, 128), (256, 256))
    codes.write("~/wide", parts, shape=row.shape[1:], num_codes=9, codebook="abc", levels=levels)
    found = codes.load("~/wide", batch_size=2)
    assert found.levels == levels and (tmp_path / "wide").exists()
    np.testing.assert_array_equal(found.splits.test.arrays()["codes"], row)
    with pytest.raises(ValueError, match="shape: expected one to four sides"):
        codes.write("~/wide", parts, shape=(2**20, 2**20), num_codes=9, codebook="abc")


@pytest.mark.parametrize("lengths", [[99, 1], [-5, 1], [1]])
def test_lengths_that_cannot_be(tmp_path, lengths):
    parts = {split: [(np.zeros((2, 4), int), np.zeros(2, int), np.array(lengths))] for split in codes.SPLITS}
    with pytest.raises(ValueError, match="train: expected a length of 0 to 4 for each example"):
        codes.write(tmp_path / "codes", parts, shape=(4,), num_codes=9, codebook="abc")
    assert not (tmp_path / "codes").exists()


def test_a_second_writing_replaces_the_first_or_leaves_it(folder):
    codes.write(folder, {**PARTS, "test": PARTS["test"][:1]}, **{**HOW, "codebook": "other"})
    assert codes.load(folder, batch_size=4).codebook == "other"

    def broken():
        yield PARTS["train"][0]
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        codes.write(folder, {**PARTS, "test": broken()}, **HOW)
    assert codes.load(folder, batch_size=4).codebook == "other"
    assert [path.name for path in folder.parent.iterdir()] == ["codes"]


def test_labels_that_mean_nothing_may_be_any(tmp_path):
    parts = dict.fromkeys(codes.SPLITS, [(np.zeros((1, *SHAPE), int), np.array([77]), None)])
    codes.write(tmp_path / "codes", parts, **HOW | {"label_names": ()})
    assert codes.load(tmp_path / "codes", batch_size=1).splits.test.peek()["label"] == [77]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("precious")
    with pytest.raises(ValueError, match="is not a folder of codes: it holds letters.txt. Give a folder of its own"):
        codes.write(tmp_path, PARTS, **HOW)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_there_is_no_moment_without_codes(folder, monkeypatch):
    """Whatever the system is asked to rename or remove meanwhile, the folder has codes, old or new."""
    seen = []

    def watched(call):
        def watch(*arguments, **how):
            result = call(*arguments, **how)
            seen.append(codes.load(folder, batch_size=4).codebook)
            return result

        return watch

    monkeypatch.setattr(shutil, "rmtree", watched(shutil.rmtree))
    monkeypatch.setattr(os, "replace", watched(os.replace))
    codes.write(folder, PARTS, **HOW | {"codebook": "other"})
    assert seen[0] == "abc" and seen[-1] == "other"


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        ((np.zeros((2, 3, 3)), np.zeros(2), None), r"expected codes \(n, 3, 2\)"),
        ((np.full((2, 3, 2), 300), np.zeros(2), None), "codes 300 to 300; expected 0 to 299"),
        ((np.zeros((2, 3, 2)), np.zeros(3), None), "as many labels"),
        ((np.zeros((2, 3, 2)), np.array([0, 2]), None), "train: labels 0 to 2; expected 0 to 1"),
        ((np.zeros((2, 3, 2)), np.array([-1, 1]), None), "train: labels -1 to 1; expected 0 to 1"),
    ],
)
def test_what_cannot_be_written(tmp_path, batch, told):
    with pytest.raises(ValueError, match=told):
        codes.write(tmp_path / "codes", {**PARTS, "train": [batch]}, **HOW)
    assert not list(tmp_path.iterdir())


def test_damage_is_named(folder):
    path = folder / "train.tfrecord"
    content = path.read_bytes()
    for damaged, told in (
        (content[:-5], "train.tfrecord has .* Cut short"),
        (content[:40] + bytes([content[40] ^ 1]) + content[41:], "train.tfrecord is damaged"),
        (content[: len(content) // 7 * 6], "expected 7 records"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=told):
            codes.load(folder, batch_size=4)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"train.tfrecord"):
        codes.load(folder, batch_size=4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"num_codes": 200}, "train.tfrecord: codes .* expected 0 to 199"),
        ({"label_names": ["cat"]}, "labels 0 to 1; expected 0 to 0"),
        ({"shape": [3, -2]}, "codes.json.*cannot be"),
        ({"levels": [[1, 2], [2, 2]]}, "codes.json.*of levels .* cannot be"),
        ({"levels": [6]}, "codes.json.*cannot be"),
        ({"num_codes": "many"}, "num_codes is str, expected int"),
        ({"counts": {"train": 9}}, "expected 9 records"),
    ],
)
def test_a_head_that_does_not_fit(folder, change, told):
    head = json.loads((folder / "codes.json").read_text())
    (folder / "codes.json").write_text(json.dumps(head | change))
    with pytest.raises(ValueError, match=told):
        codes.load(folder, batch_size=4)


def test_a_codebook_is_told_from_others():
    vectors = RANDOM.normal(size=(1, 5, 3)).astype("float32")
    assert codes.digest(vectors) == codes.digest(vectors.copy())
    others = vectors + 1e-6, vectors[:, ::-1], vectors.reshape(1, 3, 5)
    assert len({codes.digest(each) for each in (vectors, *others)}) == 4
