import json

import pytest

from toolkit.training.cluster import task


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("", "It is ''"),
        ("{", "TF_CONFIG="),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', '"index": 1'),
        ('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG="),
    ],
)
def test_what_does_not_say_who_takes_part(config, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="--strategy=multi_worker reads from the environment") as error:
        task()
    assert message in str(error.value)


def test_who_is_chief(monkeypatch):
    def first(kind, index, **cluster):
        config = {"cluster": cluster, "task": {"type": kind, "index": index}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        own, number, chief = task()
        return (own, number) == chief

    assert first("worker", 0, worker=["a:1", "b:1"])
    assert not first("worker", 1, worker=["a:1", "b:1"])
    assert not first("worker", 0, worker=["a:1"], chief=["b:1"])
    assert first("chief", 0, worker=["a:1"], chief=["b:1"])
