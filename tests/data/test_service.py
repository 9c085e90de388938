"""Batches through a tf.data service on this machine equal those that are read here."""

import contextlib
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from toolkit.data import service
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan

NUMBERS = np.arange(46.0, dtype="float32")


def batches(numbers=NUMBERS, seed=3):
    def read(indices):
        return {"number": numbers[indices], "index": indices.astype("int32")}

    signature = {"number": tf.TensorSpec([None]), "index": tf.TensorSpec([None], tf.int32)}
    return Batches(read, shuffled_plan(46, 5, seed=seed), signature, num_examples=46)


@pytest.fixture(scope="module", name="address")
def served():
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = service.Server(address, [batches(), batches(-NUMBERS)])
    assert not server.joined
    yield address
    del server


def read(dataset, num):
    return [{key: value.tolist() for key, value in batch.items()} for batch in dataset.take(num).as_numpy_iterator()]


@pytest.mark.parametrize("cut", ["whole", "part"])
def test_served_batches_are_those_read_here(address, cut):
    source = batches().map(lambda batch, seeds: {**batch, "number": batch["number"] * 2, "seed": seeds}, seed=1)
    if cut == "part":
        source = source.at_least(2).take(7).shard(2, [1])
    here = read(source.dataset(start_step=4), 12)
    assert read(source.dataset(start_step=4, service=address), 12) == here
    assert len(read(source.dataset(num_epochs=1, service=address), 99)) == source.steps_per_epoch


def test_data_sets_are_told_apart(address):
    assert read(batches(-NUMBERS).dataset(service=address), 1) == read(batches(-NUMBERS).dataset(), 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="other data than this training"):
        read(batches(seed=4).dataset(service=address), 1)


def test_a_second_process_would_join(address):
    host, port = service.check_address(address)
    assert service._answers(host, port)
    service.check(address)


NONE = ["", "5050", "host:", "host:port", "host:70000", ":1", "host:0", "host:\u00b2", "host:\u0665\u0665", "host:5\n"]
NONE += [
    "http://host:80",
    "[::1]:80",
    "a b:80",
    "-x:80",
    "a..b:80",
    "h" * 300 + ":80",
    "h\0:80",
    "$(touch x):80",
    "\u00fc:80",
]


@pytest.mark.parametrize("address", NONE)
def test_addresses_that_are_none(address):
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        service.check_address(address)


def test_nothing_answers():
    with contextlib.closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ValueError, match="nothing answers there. Start one"):
            service.check(address, seconds=0.1)
        with pytest.raises(ValueError, match="no free address of this machine"):
            service.Server(address, [])


def test_a_service_that_is_gone_ends_the_process():
    """TensorFlow itself would wait for ever."""
    program = (
        "import time\n"
        "from toolkit.data import service\n"
        "with service.watched('127.0.0.1:9', seconds=0.3):\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1 and "--data_service=127.0.0.1:9 has not answered" in done.stderr
