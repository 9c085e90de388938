"""Reading on other processes or machines: the tf.data service for `Batches`."""

import contextlib
import json
import os
import re
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
        found = probe(host, port)
        if found not in ("", ANSWER):
            raise ValueError(f"--data_service={address}: {found} there, no tf.data service. Choose another port.")
        self.joined, own = found == ANSWER, host
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


def check_address(address: str, where: str = "--data_service") -> tuple[str, int]:
    """Parses an address.

    Args:
        address: "HOST:PORT".
        where: What says so, for the message.

    Returns:
        Host and port.

    Raises:
        ValueError: Where it is not of that form.

    Example:

    >>> check_address("127.0.0.1:5050")
    ('127.0.0.1', 5050)
    """
    match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]{0,252}):([0-9]{1,5})", address)
    if match is None or ".." in match[1] or not 0 < int(match[2]) < 65536:
        told = address if len(address) < 80 and address.isprintable() else f"{address[:40]!r}..."
        raise ValueError(f"{where}={told}: expected HOST:PORT, such as 10.0.0.1:5050.")
    return match[1], int(match[2])


def check(address: str, seconds: float = 10.0) -> None:
    """Waits until a service answers.

    Args:
        address: "HOST:PORT".
        seconds: How long.

    Raises:
        ValueError: Where none does, or something else.
    """
    host, port = check_address(address)
    end = time.monotonic() + seconds
    while (found := probe(host, port)) != ANSWER:
        if found and (found != _SILENCE or time.monotonic() > end):
            raise ValueError(f"--data_service={address}: {found} there, no tf.data service. Is the port right?")
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


ANSWER, OTHER, _SILENCE = "an answer", "another gRPC server is", "something that says nothing is"
_DISPATCHER = "/tensorflow.data.DispatcherService/GetVersion"


def probe(host: str, port: int, question: str = _DISPATCHER, seconds: float = 2.0) -> str:
    """Says what answers at a port.

    It is asked in HTTP/2 and gRPC as bytes: TensorFlow offers no such question, and would wait for ever for an answer
    from anything else.

    Args:
        host: The host.
        port: The port.
        question: A call without arguments, /SERVICE/METHOD; that of a dispatcher of tf.data asks for its version.
        seconds: How long it is listened to.

    Returns:
        "" where nothing is; `ANSWER` where the call succeeds; else words for what is there: `OTHER` of a gRPC server.
    """
    try:
        connection = socket.create_connection((host, port), timeout=seconds)
    except OSError:
        return ""
    heard, end = b"", time.monotonic() + seconds
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.sendall(_asked(question))
        while len(heard.partition(_STATUS)[2]) < 2 and len(heard) < 1 << 16 and (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            part = connection.recv(4096)
            heard += part
            if not part or not heard.startswith(b"\0"):  # an HTTP/2 frame is shorter than 64 kB
                break
    if heard.partition(_STATUS)[2].startswith(b"\x010"):
        return ANSWER
    if heard.startswith(b"\0"):
        return OTHER
    return f"something that says {heard[:40].decode('ascii', 'replace')!r} is" if heard else _SILENCE


def _frame(kind, flags, stream, content):
    return len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content


def _header(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def _asked(question):
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(4, 0, 0, b"")  # no settings
        + _frame(
            *(1, 4, 1),  # headers, complete; of stream 1
            b"\x83\x86"  # POST, http
            + _header(b":path", question.encode())
            + _header(b":authority", b"server")
            + _header(b"content-type", b"application/grpc")
            + _header(b"te", b"trailers"),
        )
        + _frame(0, 1, 1, bytes(5))  # an empty message, the last
    )


_STATUS = b"grpc-status"  # how many digits follow, and these: 0 is good
