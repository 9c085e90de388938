"""Set-up shared by all tests: one quiet TensorFlow process, seeded anew for each test."""

import os
import pathlib
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is first imported

import keras
import pytest


@pytest.fixture(autouse=True)
def seed():
    """Every test starts from the same random state, whichever tests ran before it."""
    keras.utils.set_random_seed(0)


def pytest_fixture_setup(fixturedef):
    """What tests share is made before `seed` is: it too starts from the same random state."""
    if fixturedef.scope != "function":
        keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 512 kB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here (that needs root): {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture(scope="session", name="test_data")
def folder_of_real_data() -> pathlib.Path:
    """The folder of real data sets that TOOLKIT_TEST_DATA names; tests that ask for it are skipped without one."""
    folder = os.environ.get("TOOLKIT_TEST_DATA")
    if not folder:
        pytest.skip("TOOLKIT_TEST_DATA does not name a folder of real data")
    if not pathlib.Path(folder).is_dir():
        raise FileNotFoundError(f"TOOLKIT_TEST_DATA={folder}: no such folder")
    return pathlib.Path(folder).resolve()
