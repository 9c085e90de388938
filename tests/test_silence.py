import os

import pytest

from toolkit.silence import silenced


def test_hides_until_something_fails(capfd):
    with silenced():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), silenced():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert "the reason" in capfd.readouterr().err
