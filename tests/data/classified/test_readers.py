import numpy as np
import pytest

from tests.data.classified.mails import written
from toolkit.data.classified.loading import load
from toolkit.data.classified.readers import READERS, sniff


def mails(folder):
    return written(
        folder, ham=[b"gas meter %d" % n for n in range(10)], spam=[b"cheap pills now %d" % n for n in range(5)]
    )


def test_mail_is_held_out_by_class(tmp_path):
    found = load(f"mail:{mails(tmp_path)}", held_out=0.2, num_words=4)
    assert found.class_names == ("ham", "spam") and len(found.columns) == 4
    assert [np.bincount(found.labels[part]).tolist() for part in ("train", "test")] == [[8, 4], [2, 1]]
    spam = found.columns.index("cheap")
    for part in ("train", "test"):
        np.testing.assert_array_equal(found.features[part][:, spam], found.labels[part])
        assert len(set(found.titles[part])) <= len(found.titles[part]) == len(found.labels[part])
    other = load(str(tmp_path), held_out=0.2, seed=1)  # by its path alone
    assert other.titles["test"] != found.titles["test"]


def test_mail_that_is_too_little(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected mail:FOLDER"):
        load("mail:")
    with pytest.raises(ValueError, match="expected two mails or more of each class"):
        load(f"mail:{written(tmp_path, ham=[b'one word'], spam=[b'one'])}")
    with pytest.raises(ValueError, match="no word of two letters"):
        load(f"mail:{written(tmp_path / 'b', ham=[b'a'] * 3, spam=[b'b'] * 3)}")


def test_patients_by_their_number():
    assert len(load("embedded:patients:300").labels["train"]) == 300
    with pytest.raises(ValueError, match="expected embedded:patients"):
        load("embedded:patients:99999999")
    with pytest.raises(ValueError, match="expected embedded:patients"):
        READERS["embedded"]("patients:012:3", seed=0)


def test_sniff(tmp_path):
    assert sniff(mails(tmp_path)) == "mail" and sniff(tmp_path / "ham") is None
