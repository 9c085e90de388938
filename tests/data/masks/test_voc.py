import shutil

import pytest

from tests.data.masks.pairs import voc
from toolkit.data.masks import voc as module


def test_lists_decide(tmp_path):
    root = voc(tmp_path / "VOCdevkit" / "VOC2012", (("train", range(5)), ("val", range(5, 8)), ("test", range(8, 10))))
    assert module.place(tmp_path) == root
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("2007_000003\n\nJPEGImages/2007_000001.jpg x\n")
    found = module.listed(root)
    assert {split: len(pairs) for split, pairs in found.pairs.items()} == {"train": 2, "validation": 3, "test": 2}
    image, mask = found.pairs["train"][0]
    assert image.endswith("JPEGImages/2007_000003.jpg") and mask.endswith("SegmentationClass/2007_000003.png")
    assert not found.unpaired and not found.left_out
    shutil.rmtree(root / "ImageSets")
    assert len(module.listed(root).pairs["train"]) == 10


def test_a_test_part_without_masks_is_left_out(tmp_path):
    root = voc(tmp_path, (("train", range(5)), ("test", range(5, 8))))
    for number in range(5, 8):
        (root / "SegmentationClass" / f"2007_{number:06}.png").unlink()
    found = module.listed(root)
    assert list(found.pairs) == ["train"] and "test.txt (none of its images has a mask)" in found.left_out[0]


def test_errors(tmp_path):
    root = voc(tmp_path / "a")
    (root / "JPEGImages" / "2007_000006.jpg").rename(root / "JPEGImages" / "2007_000006X.jpg")
    (root / "SegmentationClass" / "2007_000001.png").rename(root / "SegmentationClass" / "2007_000001.PNG")
    (root / "SegmentationClass" / "2007_000007.png").rename(root / "SegmentationClass" / "2007_000007x.png")
    found = module.listed(root)
    assert len(found.pairs["train"]) == 5 and len(found.unpaired) == 2
    assert "val.txt names 2007_000006, but there is no image" in found.unpaired[0]
    assert "val.txt names 2007_000007, but there is no mask" in found.unpaired[1]
    lists = root / "ImageSets" / "Segmentation"
    (lists / "val.txt").write_text("2007_000001\n")
    with pytest.raises(ValueError, match="val.txt names 2007_000001, which .*train.txt names too"):
        module.listed(root)
    (lists / "val.txt").write_text("\n")
    with pytest.raises(ValueError, match="val.txt names no image"):
        module.listed(root)
    (lists / "train.txt").unlink()
    with pytest.raises(ValueError, match="val.txt is there, but no train.txt beside it"):
        module.listed(root)
    shutil.rmtree(root / "SegmentationClass")
    with pytest.raises(ValueError, match="has no folder SegmentationClass; expected JPEGImages"):
        module.listed(root)
    with pytest.raises(ValueError, match="has no folder JPEGImages"):
        module.place(root / "ImageSets")


def test_names_that_differ_in_case_only(tmp_path):
    root = voc(tmp_path)
    (root / "ImageSets" / "Segmentation" / "train.txt").write_text("2007_00000a\n")
    (root / "JPEGImages" / "2007_000000.jpg").rename(root / "JPEGImages" / "2007_00000A.jpg")
    told = module.listed(root).unpaired[0]
    assert "no image" in told and "2007_00000A.jpg differs in large and small letters only: rename one" in told
