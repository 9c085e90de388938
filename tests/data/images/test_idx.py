import gzip
import os
import pathlib
import tarfile

import numpy as np
import pytest

from tests.faults import samples
from toolkit.data.images import idx, load

MNIST = pathlib.Path(os.environ.get("TOOLKIT_TEST_DATA", "/nowhere")) / "more" / "mnist.tar"


def test_reads_what_was_written(tmp_path):
    source = samples.idx(tmp_path).source
    images = load(source, image_size=8, batch_size=4, channels=1)
    assert images.class_names == ("0", "1", "2") and len(images.parts["test"].labels) == 30
    plain, packed = (tmp_path / name for name in ("t10k-images-idx3-ubyte", "train-images-idx3-ubyte.gz"))
    assert plain.read_bytes()[16:] == idx.read_array(plain).tobytes() and idx.read_array(plain).shape == (30, 8, 8)
    assert gzip.decompress(packed.read_bytes())[16:] == idx.read_array(packed).tobytes()
    kept = images.parts["test"].store.read(np.arange(30))[..., 0]
    np.testing.assert_array_equal(kept, idx.read_array(plain))


def test_names_of_other_sets_and_both_packed_and_not(tmp_path):
    samples.idx(tmp_path)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / f"emnist-letters-{path.name.replace('t10k', 'test').replace('-idx', '.idx')}")
    found = idx.files(tmp_path)
    assert found["test"]["labels"].name == "emnist-letters-test-labels.idx1-ubyte"
    (tmp_path / "emnist-letters-test-labels.idx1-ubyte.gz").write_bytes(b"")
    assert idx.files(tmp_path)["test"]["labels"].suffix != ".gz"
    (tmp_path / "emnist-digits-test-labels.idx1-ubyte").write_bytes(b"")
    with pytest.raises(ValueError, match="has emnist-digits-test-labels.* and .*; expected one of them"):
        idx.files(tmp_path)


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"\0\0\x08\x01\0\0\0\x03ab", "2 numbers; expected 3, as its shape"),
        (b"\0\0\x08\x01\0\0\0\x03abcd", "4 numbers; expected 3"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "begins with 00 00 0d 01; expected an IDX file"),
        (b"\0\0\x08\x03\0\0", "begins with 00 00 08 03; expected an IDX file"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "0 numbers; expected 79,228,162"),
        (b"\x89PNG", "begins with 89 50 4e 47"),
    ],
)
def test_what_is_no_idx_file(content, expected, tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=expected):
        idx.read_array(path)


def test_what_is_missing_or_changed_round(tmp_path):
    samples.idx(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="has no t10k-labels-idx1-ubyte.gz, nor t10k-labels-idx1-ubyte"):
        idx.files(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes((tmp_path / "t10k-images-idx3-ubyte").read_bytes())
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte: shape \(30, 8, 8\); expected 1 axes, as labels"):
        load(f"idx:{tmp_path}", image_size=8, batch_size=4)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        idx.files(tmp_path / "none")


@pytest.mark.skipif(not MNIST.exists(), reason="needs TOOLKIT_TEST_DATA")
def test_mnist_itself(tmp_path):
    with tarfile.open(MNIST) as archive:
        archive.extractall(tmp_path, filter="data")
    found = idx.files(tmp_path / "mnist")
    train, labels = (idx.read_array(found["train"][kind]) for kind in ("images", "labels"))
    assert train.shape == (60_000, 28, 28) and idx.read_array(found["test"]["images"]).shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert round(float(train.mean() / 255), 4) == 0.1307  # as everybody normalizes with
