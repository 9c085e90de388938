"""What is printed ends nothing: each program is one that prints and says at its end that it is there."""

import os
import subprocess
import sys

import pytest

BEGIN = "import sys\nfrom toolkit import terminal\nterminal.outlast()\n"


def run(program, redirection="", **how):
    line = f'{{ "$0" -c "$1"; echo "status $?" >&2; }} {redirection}'
    command = ["sh", "-c", line, sys.executable, BEGIN + program]
    return subprocess.run(command, capture_output=True, timeout=30, check=False, **how)


MANY = "for number in range(20_000): print(number, 'lines')\nprint('end', file=sys.stderr)"


@pytest.mark.parametrize("redirection", ["| head -1", "> /dev/full", ">&-"])
def test_nobody_reads(redirection):
    assert run(MANY, redirection).stderr == b"end\nstatus 0\n"


def test_nobody_reads_errors_either():
    done = run("for _ in range(9): print('x' * 9999, file=sys.stderr)\nprint('end')", "2> /dev/full")
    assert done.stdout == b"end\n"


def test_a_character_that_the_terminal_cannot_show():
    done = run("print('caf\\xe9 \\u2603 \\udce9')", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.stderr, done.stdout) == (b"status 0\n", b"caf\\xe9 \\u2603 \\udce9\n")


def test_no_file_takes_the_number_of_a_closed_one():
    done = run("print(open('/dev/null').fileno() > 2, file=sys.stderr)\nprint('nowhere')", "<&- >&-")
    assert (done.stderr, done.stdout) == (b"True\nstatus 0\n", b"")


def test_what_takes_the_place_of_standard_output_is_left(capsys):
    from toolkit import terminal

    before = sys.stdout
    terminal.outlast()
    assert sys.stdout is before
