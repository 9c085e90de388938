import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pytest

from toolkit.data.text.corpus import load
from toolkit.data.text.readers import SPLITS


def write(path, content, encoding="utf-8"):
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


LINES = "".join(f"line {n} of the täxt, with some more words\n" for n in range(200))


def whole(corpus):
    return "".join(corpus.vocabulary.decode(corpus.tokens[split]) for split in SPLITS)


def test_packed_files(tmp_path):
    plain = load(f"text:{write(tmp_path / 'a.txt', LINES)}")
    for suffix, module in ((".gz", gzip), (".bz2", bz2), (".xz", lzma)):
        path = write(tmp_path / f"a.txt{suffix}", module.compress(LINES.encode()))
        np.testing.assert_array_equal(load(f"text:{path}").tokens["test"], plain.tokens["test"])
        write(path, module.compress(LINES.encode())[:-20])
        with pytest.raises(ValueError, match=rf"a.txt{suffix} is damaged"):
            load(f"text:{path}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("enwik8", LINES)
    assert whole(load(f"text:{tmp_path / 'a.zip'}")) == LINES
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        archive.writestr("other", LINES)
    with pytest.raises(ValueError, match="holds 2 files; expected one"):
        load(f"text:{tmp_path / 'a.zip'}")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings(tmp_path, encoding):
    path = write(tmp_path / "a.txt", LINES, encoding)
    assert whole(load(f"text:{path}", encoding=encoding)) == LINES
