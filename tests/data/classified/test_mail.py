import numpy as np
import pytest

from tests.data.classified.mails import written
from toolkit.data.classified import mail


def test_files_are_found_in_their_natural_order_up_to_three_folders_down(tmp_path):
    above = tmp_path / "above"
    for own in ("enron1", "enron2"):
        written(above / "corpus" / own, ham=[b"a"] * 11, spam=[b"b"])
    (above / "corpus" / "enron1" / "ham" / ".hidden").write_bytes(b"c")
    found = mail.files(above)
    assert [path.name for path in found["ham"]] == [f"{number}.txt" for number in range(11)] * 2
    assert [path.parts[-3] for path in found["spam"]] == ["enron1", "enron2"]
    with pytest.raises(ValueError, match="no mail in ham/"):
        mail.files(tmp_path)  # four folders down


def test_links_between_folders_do_not_lead_round(tmp_path):
    written(tmp_path, ham=[b"a"], spam=[b"b"])
    (tmp_path / "again").symlink_to(tmp_path)
    assert {name: len(paths) for name, paths in mail.files(tmp_path).items()} == {"ham": 1, "spam": 1}


def test_what_is_no_folder_of_mail(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder; expected one with ham/ and spam/"):
        mail.files(tmp_path / "nowhere")
    (tmp_path / "file").write_text("a")
    with pytest.raises(ValueError, match="file is no folder"):
        mail.files(tmp_path / "file")
    with pytest.raises(ValueError, match="no mail in spam/"):
        mail.files(written(tmp_path, ham=[b"a"]))


def test_texts_of_any_bytes_in_latin_1_and_only_whole_ones_in_another_encoding(tmp_path):
    folder = written(tmp_path, ham=[b"caf\xe9 au lait,\r\nand then\0again"], spam=["\ufeffcafé".encode()])
    paths = mail.files(folder)
    assert list(mail.texts(paths["ham"])) == ["café au lait,\r\nand then again"]
    assert list(mail.texts(paths["spam"], "utf-8")) == ["café"]
    with pytest.raises(ValueError, match=r"0.txt, line 1: b'\\xe9 au' is not utf-8"):
        list(mail.texts(paths["ham"], "utf-8"))


def test_damaged_mails_are_named(tmp_path):
    folder = written(tmp_path, ham=[b"z\0e\0", b""], spam=[b"x" * ((16 << 20) + 1)])
    paths = mail.files(folder)
    with pytest.raises(ValueError, match="0.txt has 2 zero bytes"):
        list(mail.texts(paths["ham"][:1]))
    with pytest.raises(ValueError, match="1.txt is empty"):
        list(mail.texts(paths["ham"][1:]))
    with pytest.raises(ValueError, match="0.txt would take 16.0 MB"):
        list(mail.texts(paths["spam"]))


@pytest.mark.slow
def test_enron_as_published(test_data, tmp_path):
    import tarfile

    with tarfile.open(test_data / "more" / "enron1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    paths = mail.files(tmp_path)
    assert {name: len(each) for name, each in paths.items()} == {"ham": 3672, "spam": 1500}
    lengths = [len(text) for text in mail.texts(paths["spam"])]
    assert np.median(lengths) > 300 and next(mail.texts(paths["spam"])).startswith("Subject: dobmeos with hgh")
