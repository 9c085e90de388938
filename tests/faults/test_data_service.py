"""A port where something else answers than a data service: said within seconds, by both sides."""

import contextlib
import socket
import threading
import time

import pytest
import tensorflow as tf

from tests.faults.hostile import check_answer, table
from toolkit.data import service


def says(first=b"", then=b""):
    """Something that says `first` to who connects, and `then` to what it is told; then it waits."""

    def listening(stack):
        listener = stack.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0))))
        kept = stack.enter_context(contextlib.ExitStack())

        def serve():
            with contextlib.suppress(OSError):  # closed
                while True:
                    connection, _ = listener.accept()
                    kept.enter_context(connection)
                    connection.sendall(first)
                    if then:
                        connection.recv(1000)
                        connection.sendall(then)
                        connection.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    return listening


def nothing(stack):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


def another_service_of_tensorflows(stack):
    port = nothing(stack)
    stack.enter_context(contextlib.nullcontext(tf.distribute.Server({"worker": [f"127.0.0.1:{port}"]})))
    return port


def web_server(stack):
    import http.server

    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    stack.callback(server.server_close)
    return server.server_address[1]


PORTS = [
    ("a web server", web_server, "something that says '"),
    ("a shell", says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "something that says 'SSH-2.0-OpenSSH"),
    ("silence", says(), "something that says nothing is there"),
    ("who hangs up", says(then=b"\r"), r"something that says '\r' is there"),
    ("noise", says(b"\xff\xfe\xfd" * 100), "something that says '"),
    ("zeros without end", says(bytes(1 << 17)), "another gRPC server is there"),
    ("another gRPC server", another_service_of_tensorflows, "another gRPC server is there"),
]


@pytest.mark.parametrize("listen, expected", table(PORTS, tenth=3))
@pytest.mark.parametrize("side", ["training", "service"])
def test_something_else_is_there(listen, expected, side):
    with contextlib.ExitStack() as stack:
        address = f"127.0.0.1:{listen(stack)}"
        began = time.monotonic()
        if side == "training":
            check_answer(lambda: service.check(address, seconds=0.5), ["--data_service"], expected)
        else:
            check_answer(lambda: service.Server(address, []), ["--data_service"], expected)
        assert time.monotonic() - began < 5


def test_nothing_is_there():
    check_answer(
        lambda: service.check(f"127.0.0.1:{nothing(None)}", seconds=0.2), ["--data_service"], "nothing answers there"
    )
    check_answer(lambda: service.Server("nosuchhost.invalid:5050", []), ["--data_service"], "nothing answers there")


def test_a_service_is_there():
    server = service.Server(f"127.0.0.1:{nothing(None)}", [])
    for _ in range(3):
        check_answer(lambda: service.check("{}:{}".format(*server._address)), ["--data_service"], "works")
