"""Set-up shared by all tests: quiet TensorFlow processes, seeded anew for each test, and what is run in which."""

import collections
import gc
import os
import pathlib
import random
import resource
import subprocess
import time

import pytest

from toolkit.files.granted import granted_memory, num_cores

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is first imported
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:  # one of several processes, which takes its share of the cores
    share = str(max(1, int(num_cores()) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])))
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, share)

ROOT = pathlib.Path(__file__).resolve().parents[1]
# What one process of tests, with the JAX process and the recipes that it starts, may grow to.
GIGABYTES_A_PROCESS = 4
PEAKS = []  # of memory, of the processes that have ended
BEGUN = time.monotonic()
# Long files begin first, so that the processes end together.
LONGEST = ("recipes", "claims", "training", "saved_models", "models", "test_jax_backend.py", "layers", "export")


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_auto_num_workers(config):
    """As many processes as there are cores, and as memory has room for; a container's limits count."""
    with open("/proc/meminfo") as file:
        free = next(1024 * int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
    return max(1, int(min(num_cores(), min(free, granted_memory()) / 1e9 / GIGABYTES_A_PROCESS)))


def pytest_addoption(parser):
    parser.addoption("--minutes", type=float, help="what has not begun by then is left out, which the end says")
    parser.addoption(
        "--turn", help="files in an order that this word decides, so that --minutes leaves out others each time"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    minutes = item.config.option.minutes
    if minutes is not None and time.monotonic() > BEGUN + 60 * minutes:
        pytest.skip(f"not begun within --minutes={minutes:g}")


def pytest_collection_modifyitems(config, items):
    """Leaves out what takes long, unless it is asked for by -m or its file is named."""
    here = config.invocation_params.dir
    named = {(here / argument.partition("::")[0]).resolve() for argument in config.args}
    quick, left = [], []
    for item in items:
        asked = config.option.markexpr or item.path.resolve() in named
        takes_long = not asked and {"slow", "claims"} & {mark.name for mark in item.iter_markers()}
        (left if takes_long else quick).append(item)
    if left:
        config.hook.pytest_deselected(items=left)

    def place(item):
        folders = [folder for folder in LONGEST if item.path.resolve().is_relative_to(ROOT / "tests" / folder)]
        return LONGEST.index(folders[0]) if folders else len(LONGEST)

    items[:] = sorted(quick, key=place)
    if config.option.turn is not None:
        files = sorted({item.path for item in items})
        random.Random(config.option.turn).shuffle(files)
        items.sort(key=lambda item: files.index(item.path))


def pytest_terminal_summary(terminalreporter):
    """Where the time went, by folder."""
    seconds = collections.Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                parts = pathlib.PurePath(report.nodeid.partition("::")[0]).parts
                seconds["/".join(parts[: 2 if len(parts) > 2 else len(parts)])] += report.duration
    if len(seconds) > 1:
        terminalreporter.section("seconds of all processes, by folder")
        for folder, spent in seconds.most_common():
            terminalreporter.write_line(f"{spent:7.1f}  {folder}")
    if PEAKS:
        terminalreporter.write_line(f"memory at most, GB a process: {', '.join(f'{peak:.1f}' for peak in PEAKS)}")


@pytest.fixture(autouse=True, scope="session")
def libraries():
    """Imported here, and not in the process that only hands out tests."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    # A search for garbage need not look at what the libraries made when they were imported.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def leftovers():
    """What a file's tests leave for good, such as traced functions, is not looked at again for garbage.

    Late in a session there are millions of such objects, and each search took seconds.
    """
    yield
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session):
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_testnodedown(node, error):
    PEAKS.append(getattr(node, "workeroutput", {}).get("gigabytes", 0.0))


@pytest.fixture(autouse=True)
def seed():
    """Every test starts from the same random state, whichever tests ran before it."""
    import keras

    keras.utils.set_random_seed(0)


def pytest_fixture_setup(fixturedef):
    """What tests share is made before `seed` is: it too starts from the same random state."""
    if fixturedef.scope != "function":
        import keras

        keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def unfilled():
    """Weights that are only counted are not made: those of all take minutes, and gigabytes that TensorFlow keeps."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.backend.clear_session()  # where they wait to be made


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
