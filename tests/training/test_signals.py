"""Signals where nothing looks for them: none is lost, wherever it comes."""

import gc
import os
import signal
import subprocess
import sys
import time

import pytest

from toolkit.training import signals


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    monkeypatch.setattr(signals, "_SECONDS", 0.01)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)
    time.sleep(0)  # where Python looks whether one came


class Dying:
    def __del__(self):
        send(signal.SIGTERM)


def in_a_destructor():
    Dying()


def in_a_callback_of_the_collector():
    def callback(phase, info):
        gc.callbacks.remove(callback)
        send(signal.SIGTERM)

    gc.callbacks.append(callback)
    gc.collect()


def in_a_sort_key_of_c():
    import ctypes

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    done = []

    def compare(a, b):
        if not done:
            done.append(send(signal.SIGTERM))
        return 0

    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(2, 1), 2, ctypes.sizeof(ctypes.c_int), kind(compare))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("where", [in_a_destructor, in_a_callback_of_the_collector, in_a_sort_key_of_c])
def test_a_signal_where_python_swallows_what_is_raised(where, monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    for _ in range(24):
        with pytest.raises(signals.Terminated), signals.ending():
            where()
            time.sleep(5)


def test_what_cleans_up_is_not_disturbed():
    turns = []
    with pytest.raises(signals.Terminated), signals.ending():
        try:
            send(signal.SIGTERM)
        finally:
            for turn in range(10):
                time.sleep(0.01)
                turns.append(turn)
    assert len(turns) == 10


def test_ctrl_c_is_no_sigterm_and_the_default_is_back_afterwards():
    with pytest.raises(KeyboardInterrupt) as error, signals.ending():
        send(signal.SIGINT)
    assert not isinstance(error.value, signals.Terminated)
    assert signal.getsignal(signal.SIGTERM) is signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_second_signal_ends_what_waits_in_c_for_ever():
    program = (
        "import ctypes\n"
        "from toolkit.training import signals\n"
        "lock, mutex = ctypes.CDLL(None).pthread_mutex_lock, ctypes.create_string_buffer(128)\n"
        "with signals.ending():\n"
        "    print('begun', flush=True)\n"
        "    lock(mutex), lock(mutex)\n"  # no signal interrupts it
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=10) == 128 + signal.SIGINT
        finally:
            process.kill()


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_process_at_once(first):
    program = (
        "import os, signal, time\n"
        "from toolkit.training import signals\n"
        "with signals.ending():\n"
        "    try:\n"
        f"        os.kill(os.getpid(), {int(first)})\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, "")
