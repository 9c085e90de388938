import json
import re
import threading
import time
import urllib.request

import numpy as np
import pytest

from toolkit.data.images import pool as pools
from toolkit.data.images.label_file import LabelFile
from toolkit.data.images.labelled import load
from toolkit.data.images.labelling import Labelling
from toolkit.data.images.pool import Pool

ROWS = np.array([9, 4, 55])


@pytest.fixture(scope="module", name="pool")
def digits():
    return Pool(load("embedded:200", image_size=8, batch_size=16))


def test_a_file_is_written_and_read_when_it_is_filled_in(pool, tmp_path):
    with Labelling(pool, tmp_path, "csv") as oracle:
        with pytest.raises(ValueError, match="3 of 3 images have no label yet"):
            oracle(ROWS, 2)
        path = tmp_path / "round_2" / "labels.csv"
        assert path.read_text() == "image,label\n9.png,\n4.png,\n55.png,\n"
        path.write_text("image,label\n4.png,3\n55.png,1\n9.png,8\n")
        np.testing.assert_array_equal(oracle(ROWS, 2), [8, 3, 1])
        with pytest.raises(ValueError, match="round_3"):  # another round has a file of its own
            oracle(ROWS, 3)


def test_only_what_is_not_known_is_asked_for(pool, tmp_path):
    store = pool.images.parts["test"].store
    both, known = Pool(pool.images, store), len(pool)
    rows = np.array([known + 1, 3, known])
    LabelFile(tmp_path / "round_0", [known + 1, known], pool.images.class_names).write({known: 5, known + 1: 6})
    with Labelling(both, tmp_path, "csv") as oracle:
        np.testing.assert_array_equal(oracle(rows, 0), [6, pool.labels[3], 5])
        np.testing.assert_array_equal(oracle(rows[1:2], 1), [pool.labels[3]])
    assert not (tmp_path / "round_1").exists() and (both.labels[known:] == pools.UNKNOWN).all()


def waited_for(function):
    """What a function gives as soon as it gives something."""
    end = time.monotonic() + 60
    while not (found := function()):
        assert time.monotonic() < end, "nothing after a minute"
        time.sleep(0.01)
    return found


def test_a_page_asks_for_what_is_left_and_each_answer_is_kept(pool, tmp_path, monkeypatch):
    told = []  # reading capsys while another thread prints can lose what it prints
    monkeypatch.setattr("builtins.print", lambda *words, **_: told.append(" ".join(map(str, words))))
    LabelFile(tmp_path / "round_1", ROWS, pool.images.class_names).write({4: 7})
    with Labelling(pool, tmp_path, "ask") as oracle:
        found = []
        thread = threading.Thread(target=lambda: found.append(oracle(ROWS, 1)), daemon=True)
        thread.start()
        address = waited_for(lambda: re.search(r"http://127\.0\.0\.1:\S+", " ".join(told)))[0]
        assert "2 images to be labelled" in " ".join(told)
        for place in (0, 2):
            waited_for(lambda: json.load(urllib.request.urlopen(f"{address}state", timeout=10))["labels"][1] == 7)
            body = json.dumps({"round": 1, "image": place, "label": place + 1}).encode()
            urllib.request.urlopen(f"{address}label", body, timeout=10).close()
            assert f"{ROWS[place]}.png,{place + 1}" in (tmp_path / "round_1" / "labels.csv").read_text()
        thread.join(timeout=30)
        np.testing.assert_array_equal(found[0], [1, 7, 3])
        np.testing.assert_array_equal(oracle(ROWS, 1), [1, 7, 3])  # nothing is left to be asked for


def test_there_is_no_other_way(pool, tmp_path):
    with pytest.raises(ValueError, match="way='guess': expected one of ask, csv"):
        Labelling(pool, tmp_path, "guess")
