import dataclasses

import pytest

from toolkit.settings import running


@pytest.mark.parametrize(
    "values, message",
    [
        ({"strategy": "mirrored", "jit_compile": True}, "cannot have --jit_compile"),
        ({"num_replicas": 2}, "--num_replicas=2 is for --strategy=mirrored"),
        ({"mode": "serve_data"}, "needs --data_service=HOST:PORT"),
        ({"mode": "serve_data", "data_service": "a:1"}, "without a password. Where only those .*: --trusted_network"),
        ({"strategy": "multi_worker"}, "--strategy=multi_worker opens a port at all addresses"),
        ({"strategy": "mirrored", "num_replicas": 3, "batch_size": 2}, "cannot share --batch_size=2"),
    ],
)
def test_devices_that_cannot_be(values, message):
    with pytest.raises(ValueError, match=message):
        running.Devices(**values)
    assert running.Devices(strategy="mirrored", num_replicas=2).num_replicas == 2
    assert running.Devices(mode="serve_data", data_service="a:1", trusted_network=True).data_service == "a:1"
    assert running.Devices(data_service="a:1").mode == "all", "who only reads from a service opens nothing"


@pytest.mark.parametrize(
    "size", ["64x64,32x32,", "480", "0x3", "3x", "x", "3x4x5", "4097x3", "\N{SUPERSCRIPT TWO}x3", "3x4\n", "9" * 5000]
)
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="--export_size must be HEIGHTxWIDTH, such as 480x640"):
        running.ImageExport(export_size=size)
    with pytest.raises(
        ValueError, match="--export_sizes must (be HEIGHTxWIDTH, such as .* or several|have at most 200)"
    ):
        running.MaskExport(export_sizes=f"48x64,{size}")
    assert running.ImageExport(export_size="480x4096").exported_size == (480, 4096)
    assert running.ImageExport().exported_size is None and running.MaskExport().exported_sizes == ()
    assert running.MaskExport(export_sizes="48x64,3x4").exported_sizes == ((48, 64), (3, 4))


def test_what_is_asked_of_a_trained_model_may_change_and_what_it_is_may_not():
    changeable = {field.name for field in dataclasses.fields(running.Devices) if field.metadata["changeable"]}
    assert {"workdir", "mode", "epochs", "strategy"} <= changeable
    assert not {"seed", "batch_size", "precision"} & changeable


@pytest.mark.parametrize(
    "values, message",
    [
        ({"address": "10.0.0.1:6379"}, "--address='10.0.0.1:6379' is of a Ray cluster, for --engine=ray"),
        ({"engine": "here", "num_processes": 2}, "--num_processes=2 is for --engine=processes or ray"),
        ({"num_processes": 0}, "--num_processes must be at least 1; got 0"),
        ({"engine": "threads"}, "--engine must be one of here, processes, ray"),
    ],
)
def test_studies_that_cannot_be(values, message):
    with pytest.raises(ValueError, match=message):
        running.Study(**values)
    assert running.Study(engine="ray", address="10.0.0.1:6379", num_processes=2).engine == "ray"


def test_a_study_of_several_seeds():
    assert running.SeededStudy(num_seeds=5).num_seeds == 5 and "num_seeds" not in vars(running.Study())
    with pytest.raises(ValueError, match="--num_seeds must be at least 1"):
        running.SeededStudy(num_seeds=0)
