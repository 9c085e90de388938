"""Reading on other processes or machines: the tf.data service for `Batches`."""

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator

from toolkit.data.pipelines import SERVED, Batches
from toolkit.lazy import tensorflow as tf


class Server:
    """One process of a tf.data service. The first at an address also gives out the work; the others join it.

    A pipeline's graph goes to the service by itself, but not the Python that reads its files: so each of these
    processes loads the same data, and what is sent says which (its fingerprint) and which step of it.

    Args:
        address: "HOST:PORT" of the one that gives out the work.
        parts: What can be read here.

    Attributes:
        joined: Whether another process gives out the work.

    Raises:
        ValueError: Where the address is none, or is neither a service's nor this machine's.
    """

    def __init__(self, address: str, parts: Iterable[Batches]) -> None:
        from tensorflow.python.ops import script_ops  # no public way to name a function that a graph calls

        host, port = self._address = check_address(address)
        self._parts = {part.fingerprint: part for part in parts}
        self._cut = {}
        self._function = script_ops._py_funcs._funcs[SERVED] = self._read  # kept: the registry holds weakly
        self.joined, own = _answers(host, port), host
        service = tf.data.experimental.service
        if self.joined:
            with contextlib.closing(socket.create_connection((host, port))) as connection:
                own = connection.getsockname()[0]
        else:
            with contextlib.closing(socket.socket()) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    trial.bind((host, port))
                except OSError as error:
                    raise ValueError(
                        f"--data_service={address}: nothing answers there, and it is no free address of this machine "
                        f"({error.strerror}). Start the service on {host} first."
                    ) from error
            self._dispatcher = service.DispatchServer(service.DispatcherConfig(port=port))
        self._worker = service.WorkerServer(
            service.WorkerConfig(dispatcher_address=address, worker_address=f"{own}:%port%")
        )

    def _read(self, step, fingerprint, cuts, numbered):
        fingerprint = bytes(fingerprint).decode()
        if fingerprint not in self._parts:
            raise ValueError(
                "the data service has loaded other data than this training. Start it with the same --data, --seed, "
                "--batch_size and what else decides the data."
            )
        key = fingerprint, bytes(cuts)
        if key not in self._cut:
            self._cut[key] = self._parts[fingerprint].cut(json.loads(key[1]))
        return self._cut[key].flat_batch(step, bool(numbered))

    def wait(self) -> None:
        """Serves until this process is interrupted, or the one that gives out the work is gone."""
        while _answers(*self._address):  # `join` would not hear of Ctrl-C
            time.sleep(2)


def check_address(address: str) -> tuple[str, int]:
    """Takes an address apart.

    Args:
        address: "HOST:PORT".

    Returns:
        Host and port.

    Raises:
        ValueError: Where it is not of that form.

    Example:

    >>> check_address("127.0.0.1:5050")
    ('127.0.0.1', 5050)
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"--data_service={address}: expected HOST:PORT, such as 10.0.0.1:5050.")
    return host, int(port)


def check(address: str, seconds: float = 10.0) -> None:
    """Waits until a service answers.

    Args:
        address: "HOST:PORT".
        seconds: How long.

    Raises:
        ValueError: Where none does.
    """
    host, port = check_address(address)
    end = time.monotonic() + seconds
    while not _answers(host, port):
        if time.monotonic() > end:
            raise ValueError(
                f"--data_service={address}: nothing answers there. Start one, on any machine that has the data: the "
                "same command with --mode=serve_data and a --workdir of its own."
            )
        time.sleep(0.2)


@contextlib.contextmanager
def watched(address: str, seconds: float = 30.0) -> Iterator[None]:
    """Ends the process where a service stops answering: TensorFlow would wait for it without a word, and for ever.

    Args:
        address: "HOST:PORT"; empty: nothing is watched.
        seconds: How long it may not answer.
    """
    done = threading.Event()

    def watch(host, port):
        answered = time.monotonic()
        while not done.wait(seconds / 10):
            if _answers(host, port):
                answered = time.monotonic()
            elif time.monotonic() - answered > seconds:
                print(
                    f"\n--data_service={address} has not answered for {seconds:.0f} s. Start it again; then the same "
                    "command goes on from the last checkpoint.",
                    file=sys.stderr,
                    flush=True,
                )
                os._exit(1)

    if address:
        threading.Thread(target=watch, args=check_address(address), daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _answers(host, port):
    try:
        with contextlib.closing(socket.create_connection((host, port), timeout=2)):
            return True
    except OSError:
        return False
