import pathlib

import pytest

from tests.data.masks.pairs import image, numbers, save
from toolkit.data.masks import folders


def plant(root, names):
    for name in names.split():
        save(root / name, numbers(0) if "mask" in name or "annot" in name else image(0))
    return root


def stems(found):
    return {split: [pathlib.Path(one).name for one, _ in pairs] for split, pairs in found.pairs.items()}


@pytest.mark.parametrize(
    "names",
    [
        "train/images/1.png train/masks/1.png val/images/2.png val/masks/2.png",
        "images/train/1.png masks/train/1.png images/val/2.png masks/val/2.png",
        "images/training/1.png annotations/training/1.png images/validation/2.png annotations/validation/2.png",
        "train_images/1.png train_masks/1.png val_images/2.png val_masks/2.png",
        "train/image/1.png trainannot/1.png val/image/2.png valannot/2.png",
        "set/Train/JPEGImages/1.png set/Train/SegmentationMasks/1.png set/Val/img/2.png set/Val/mask_labels/2.png",
    ],
)
def test_layouts(tmp_path, names):
    assert stems(folders.paired(plant(tmp_path, names))) == {"train": ["1.png"], "validation": ["2.png"]}


def test_without_parts_and_what_is_beside(tmp_path):
    plant(tmp_path, "images/b.png images/a.png masks/a.png masks/b.png preview.png")
    (tmp_path / "images" / "notes.csv").write_text("words")
    (tmp_path / "LICENSE").write_text("words")
    found = folders.paired(tmp_path)
    assert stems(found) == {"train": ["a.png", "b.png"]} and not found.unpaired
    assert [told.split("/")[-1] for told in found.left_out] == [
        "notes.csv (no image)",
        "preview.png (neither in a folder of images nor in one of masks)",
    ]
    plant(tmp_path, "train/images/1.png train/masks/1.png")
    found = folders.paired(tmp_path)
    assert stems(found) == {"train": ["1.png"]} and "(in none of the parts)" in found.left_out[-1]


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="a has no folder of masks; expected PATH/train/images"):
        folders.paired(plant(tmp_path / "a", "train/images/1.png"))
    with pytest.raises(ValueError, match="b has no folder of images"):
        folders.paired(plant(tmp_path / "b", "masks/1.png"))
    with pytest.raises(ValueError, match="c holds test, but no train"):
        folders.paired(plant(tmp_path / "c", "test/images/1.png test/masks/1.png"))
    with pytest.raises(ValueError, match=r"1.jpg and .*1.png have the same name, 1: which of them"):
        folders.paired(plant(tmp_path / "d", "images/1.jpg images/1.png masks/1.png"))
    with pytest.raises(FileNotFoundError, match="--data=folder:nothing: no such folder; expected x"):
        folders.existing("nothing", "folder", "expected x")
    with pytest.raises(ValueError, match="is no folder; expected x. Unpack what is packed"):
        folders.existing(__file__, "folder", "expected x")


def test_what_has_no_partner():
    pairs, unpaired = folders.matched(["i/1.jpg", "i/2.jpg", "i/A.jpg"], ["m/1.png", "m/3.png", "m/a.png"])
    assert pairs == [("i/1.jpg", "m/1.png")]
    assert unpaired == [
        "i/2.jpg has no mask",
        "i/A.jpg has no mask; m/a.png differs in large and small letters only: rename one",
        "m/3.png has no image",
        "m/a.png has no image; i/A.jpg differs in large and small letters only: rename one",
    ]


@pytest.mark.parametrize(
    "images, masks",
    [
        ("1 2", "1_mask 2_mask"),
        ("0001TP_1 0001TP_2", "0001TP_1_L 0001TP_2_L"),
        ("1_rgb 2_rgb", "1-labels 2-labels"),
        ("a b", "a.seg b.seg"),
    ],
)
def test_what_all_names_end_in(images, masks):
    images, masks = ([f"{name}.png" for name in names.split()] for names in (images, masks))
    assert folders.matched(images, masks) == (list(zip(images, masks, strict=True)), [])


def test_names_that_end_alike_by_chance_are_not_cut():
    pairs, unpaired = folders.matched(["a_1.png", "b_1.png"], ["a_1.png", "c_1.png"])
    assert pairs == [("a_1.png", "a_1.png")] and len(unpaired) == 2


def test_class_names(tmp_path):
    assert folders.class_names(tmp_path) == ((), "")
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ncat\n\n")
    assert folders.class_names(tmp_path) == (("_background_", "cat"), str(tmp_path / "labels.txt"))
    (tmp_path / "class_names.txt").write_text("road \nblue sky\r\n")
    assert folders.class_names(tmp_path) == (("road", "blue sky"), str(tmp_path / "class_names.txt"))
    for content, words in (("a\n\nb", "expected the names of at most 256"), ("a\nb\na\n", "names a twice")):
        (tmp_path / "class_names.txt").write_text(content)
        with pytest.raises(ValueError, match=f"class_names.txt.*{words}"):
            folders.class_names(tmp_path)
