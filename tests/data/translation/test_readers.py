import pathlib

from toolkit.data.translation import readers


def test_sniffs_files_of_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("one\teins\n")
    assert (
        readers.sniff(path) == "tsv" and readers.sniff(tmp_path) is None and readers.sniff(pathlib.Path("x.gz")) is None
    )


def test_parts_of_a_file_are_each_pair_once(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(f"{number}\tn{number}" for number in range(100)), encoding="utf-8")
    parts = readers.READERS["tsv"](str(path), max_words=5, held_out=0.2, seed=3)
    assert sorted(pair.source for part in parts.values() for pair in part) == sorted(map(str, range(100)))
    assert {part: len(pairs) for part, pairs in parts.items()} == {
        "train": 76, "validation": 4, "context": 10, "test": 10,
    }  # fmt: skip
