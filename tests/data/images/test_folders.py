"""Folders of image files; which are parts and which classes is tried in tests/faults/test_images.py."""

import os

import numpy as np
import pytest
from PIL import features

from tests.faults.samples import picture, write
from toolkit.data.images import folders
from toolkit.data.images.labelled import load

LAYOUT = "cat/1.png cat/2.png cat/3.png dog/1.png dog/2.png dog/3.png"


def plant(root, words):
    for number, word in enumerate(words.split()):
        write(root / word, picture(number, size=(8, 8)))


def test_the_order_is_that_of_names_files_before_folders(tmp_path):
    plant(tmp_path, "b/z.png b/a/2.png b/a/10.png b/A.png b/é.png a/1.png")
    found = folders.labelled(str(tmp_path))
    names = "a/1.png b/A.png b/z.png b/é.png b/a/10.png b/a/2.png"
    assert found.items == {"train": [f"{tmp_path}/{name}" for name in names.split()]}
    np.testing.assert_array_equal(found.labels["train"], [0, 1, 1, 1, 1, 1])
    assert found.class_names == ("a", "b") and found.folders == {"train": "."} and found.left_out == ()


def test_a_link_to_images_elsewhere_is_followed(tmp_path):
    plant(tmp_path / "pool", LAYOUT)
    (tmp_path / "photos").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).symlink_to(tmp_path / "pool" / name)
    assert len(folders.labelled(str(tmp_path / "photos")).items["train"]) == 6


LINKS = [
    ("to the folder itself", "cat/loop", ".", "cat/loop (leads to a folder that is read already)"),
    ("to the class", "cat/loop", "cat", "cat/loop (leads to"),
    ("to another class", "cat/more", "dog", "cat/more (leads to"),
    ("to what the folder is in", "dog/up", "..", "dog/up (leads to"),
    ("out of the folder and back", "dog/out", "../outside", "dog/out/back (leads to"),
]


@pytest.mark.parametrize("link, target, expected", [row[1:] for row in LINKS], ids=[row[0] for row in LINKS])
def test_links_are_read_once(link, target, expected, tmp_path):
    root = tmp_path / "photos"
    plant(root, LAYOUT)
    write(tmp_path / "outside" / "9.png", picture(99))
    (tmp_path / "outside" / "back").symlink_to(root)
    (tmp_path / "outside" / "self").symlink_to(tmp_path / "outside")
    (root / link).symlink_to((root / target).resolve())
    found = folders.labelled(str(root))
    assert len(found.items["train"]) == 6 + (target == "../outside")
    assert any(expected in told for told in found.left_out)


def test_a_part_that_is_another(tmp_path):
    plant(tmp_path, LAYOUT.replace("cat", "train/cat").replace("dog", "test/cat"))
    (tmp_path / "val").symlink_to(tmp_path / "test")
    with pytest.raises(ValueError, match="val leads to .* no image can be in two parts"):
        folders.labelled(str(tmp_path))


def test_what_is_read_and_what_is_left_out(tmp_path, capsys):
    plant(tmp_path, LAYOUT)
    others = {"photo.jfif": "JPEG", "photo.ppm": "PPM", "photo": "PNG", "photo.weird": "GIF", "1.PNG": "PNG"}
    others |= {"photo.avif": "AVIF"} if features.check("avif") else {}
    for name, kind in others.items():
        write(tmp_path / "cat" / name, picture(hash(kind) % 99, kind=kind))
    for name in ("Thumbs.db", "notes.txt", "BMW", "P6"):
        write(tmp_path / "dog" / name, name.encode() + b" words and words and words")
    os.mkfifo(tmp_path / "dog" / "pipe")
    (tmp_path / "dog" / "gone").symlink_to("nothing")
    images = load(str(tmp_path), image_size=8, batch_size=2)
    assert sum(counts[0] for counts in images.counts.values()) == 3 + len(others)
    assert sum(counts[1] for counts in images.counts.values()) == 3
    assert [told.split("/")[-1] for told in images.left_out] == [
        f"{name} (no image)" for name in ("BMW", "P6", "Thumbs.db", "gone", "notes.txt", "pipe")
    ]
    assert "files or folders left out: 6, such as" in capsys.readouterr().err


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    plant(tmp_path, LAYOUT + " cat/more/1.png")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("more"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (told,) = folders.labelled(str(tmp_path)).left_out
    assert told.endswith("cat/more (a folder that cannot be read: Permission denied)")
