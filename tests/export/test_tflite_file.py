import hashlib
import json
import shutil

import pytest

from toolkit.export import tflite_file


@pytest.fixture
def folder(exported, tmp_path):
    for name in ("model.tflite", "card.json"):
        shutil.copy(exported.folder / name, tmp_path)
    return tmp_path


def test_the_file_that_the_card_describes(folder):
    path = folder / "model.tflite"
    assert tflite_file.check(path) == path
    assert tflite_file.digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert json.loads((folder / "card.json").read_text())["files"]["model.tflite"]["sha256"] == tflite_file.digest(path)
    assert "encode" in tflite_file.opened(path).get_signature_list()


def test_another_file_is_refused_unless_no_card_describes_it(folder, exported):
    path = folder / "model.tflite"
    shutil.copy(exported.folder / "model_float16.tflite", path)
    with pytest.raises(ValueError, match="model.tflite is not the file that .*card.json describes: .* Export it again"):
        tflite_file.opened(path)
    tflite_file.opened(path.rename(folder / "mine.tflite"))
    content = bytearray((exported.folder / "model.tflite").read_bytes())
    content[-1] ^= 1  # of the last weight, or of what fills up behind it: LiteRT takes it
    path.write_bytes(content)
    with pytest.raises(ValueError, match="model.tflite is not the file that .*card.json describes"):
        tflite_file.opened(path)
    (folder / "card.json").unlink()
    tflite_file.opened(path)


def test_a_card_of_before_knows_the_size(folder):
    path, card = folder / "model.tflite", folder / "card.json"
    content = json.loads(card.read_text())
    del content["files"]["model.tflite"]["sha256"]
    card.write_text(json.dumps(content))
    tflite_file.check(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="is not the file that"):
        tflite_file.check(path)


def test_a_damaged_card_is_named(folder):
    (folder / "card.json").write_text('{"signatures": {}}')
    with pytest.raises(ValueError, match="card.json is not the card of an exported model: it has no files"):
        tflite_file.check(folder / "model.tflite")


def test_it_opens_apart_too(folder, monkeypatch, capfd):
    path = folder / "model.tflite"
    tflite_file.check_apart(path)
    (folder / "card.json").unlink()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError) as here:
        tflite_file.opened(path)
    with pytest.raises(ValueError) as apart:
        tflite_file.check_apart(path)
    assert str(apart.value) == str(here.value)
    assert "model.tflite: a damaged or truncated TFLite file of 5000 bytes (" in str(apart.value)
    # Stands in for a file that is altered just so.
    (folder / "sitecustomize.py").write_text("import os\nos.kill(os.getpid(), 11)\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with pytest.raises(ValueError, match=r"model.tflite: .* \(it crashed the interpreter: Segmentation fault\)"):
        tflite_file.check_apart(path)
    assert capfd.readouterr() == ("", "")


def test_what_litert_says_is_one_line_and_nothing_else_is_printed(tmp_path, capfd):
    path = tmp_path / "a.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    with pytest.raises(
        ValueError, match=r"^\S+a.tflite: a damaged or truncated TFLite file of 108 bytes \([^\n]+\)\.$"
    ):
        tflite_file.opened(path)
    assert capfd.readouterr() == ("", "")
