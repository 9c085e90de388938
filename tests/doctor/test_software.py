"""Stand-ins on the path of the doctor's process take the place of the libraries."""

import os
import sys

import pytest
from packaging.specifiers import SpecifierSet

from toolkit.doctor import software
from toolkit.doctor.finding import MISSING, NOTE, OK

WORKING = {
    "tensorflow": "class config: list_physical_devices = staticmethod(lambda kind: [])\n__version__ = '2.21.0'",
    "keras": "class config: backend = staticmethod(lambda: 'tensorflow')\n__version__ = '3.15.1'",
    "tf_keras": "__version__ = '2.21.0'",
    "tensorflow_probability": "class distributions: Normal = print\n__version__ = '0.25.0'",
    "tensorflow_io": "print('chatter')\n__version__ = '0.37.1'",
    "tensorflow_io.python.ops.core_ops": "def io_audio_readable_init(): pass",
    "ai_edge_litert.interpreter": "",
}
DIES = "import os, signal\nos.kill(os.getpid(), signal.SIG{})"


@pytest.fixture(name="with_modules")
def write_modules(tmp_path, monkeypatch):
    """Writes stand-ins, working ones but for those given."""

    def write(**sources):
        for module, source in {**WORKING, **sources}.items():
            path = tmp_path.joinpath(*module.split("."), "__init__.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return write


def by_name(requirements, answers):
    return {finding.name: finding for finding in software.packages(requirements, answers)}


REQUIREMENTS = [
    "tensorflow>=2.16.2,<2.22",
    "keras>=3.15,<4",
    "tf-keras>=2.16,<2.22",
    "tensorflow-io>=0.37.1; python_version >= '3'",
    "numpy>=1.26",
    "never-heard-of; python_version < '3'",
]


def test_all_is_well(with_modules):
    with_modules()
    answers = software.ask(60)
    assert answers["tensorflow"] == {"version": "2.21.0", "gpus": []}
    assert answers["tensorflow_io"] == {"version": "0.37.1", "native": True}
    found = by_name(REQUIREMENTS, answers)
    assert {finding.mark for finding in found.values()} == {OK}
    assert found["tensorflow-io"].found == "0.37.1, native decoders"
    assert "numpy " in found["other packages"].found and "never-heard-of" not in found


@pytest.mark.parametrize(
    ("source", "told", "advice"),
    [
        ("raise ImportError('no libstdc++')", "ImportError: no libstdc++", "--force-reinstall --no-deps"),
        (DIES.format("SEGV"), "ended by SIGSEGV", "--force-reinstall --no-deps"),
        (DIES.format("ILL"), "ended by SIGILL", "pip install"),
        ("import time; time.sleep(60)", "no answer within 2 s", "--time_limit=600"),
        (WORKING["tensorflow"].replace("2.21.0", "2.4.1"), "2.4.1; ", '"tensorflow<2.22,>=2.16.2"'),
        (WORKING["tensorflow"].replace("2.21.0", "2.30.0"), "2.30.0; ", '"tensorflow<2.22,>=2.16.2"'),
    ],
)
def test_tensorflow_that_does_not_work(with_modules, source, told, advice):
    with_modules(tensorflow=source)
    finding = by_name(REQUIREMENTS, software.ask(2))["tensorflow"]
    assert finding.mark == MISSING
    assert told in finding.found and advice in finding.advice


def test_a_crash_hides_nothing_but_itself(with_modules):
    with_modules(keras=DIES.format("ABRT"))
    answers = software.ask(60)
    assert answers["keras"] == {"error": "ended by SIGABRT"}
    assert answers["tf_keras"] == {"version": "2.21.0"}
    assert answers["tensorflow_io"]["native"] is True


def test_a_processor_without_avx_is_told_apart(with_modules, monkeypatch):
    with_modules(tensorflow=DIES.format("ILL"))
    monkeypatch.setattr(software, "_read", lambda path: "flags : sse sse2")
    assert "no AVX" in by_name(REQUIREMENTS, software.ask(60))["tensorflow"].advice


def test_without_tensorflow_the_others_are_not_tried(with_modules, monkeypatch):
    with_modules(tensorflow="raise ModuleNotFoundError('tensorflow')", keras="raise RuntimeError('tried')")
    answers = software.ask(60)
    assert answers["keras"] == answers["speed"] == {}
    monkeypatch.setattr(
        software, "installed", lambda name, answers: {"keras": "3.15.1", "tf-keras": "2.21.0"}.get(name)
    )
    found = by_name(REQUIREMENTS[:3], answers)
    assert found["tensorflow"].found == "not installed" and found["tensorflow"].mark == MISSING
    assert found["keras"].mark == found["tf-keras"].mark == NOTE


def test_what_the_user_has_set_for_keras_is_told_and_set_aside(with_modules, monkeypatch, tmp_path):
    with_modules(keras="import os\nclass config: backend = lambda: os.environ['KERAS_BACKEND']\n__version__ = '3.15.1'")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert list(software.keras_settings()) == []
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (tmp_path / "keras.json").write_text('{"floatx": "float64", "image_data_format": "channels_last"}')
    (finding,) = software.keras_settings()
    told = f"KERAS_BACKEND=jax; floatx=float64 in {tmp_path / 'keras.json'}: set aside by the recipes"
    assert (finding.mark, finding.found) == (NOTE, told)
    assert software.ask(60)["keras"]["backend"] == "tensorflow"


def test_a_keras_json_that_keras_does_not_take(with_modules, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "keras.json").write_text('{"floatx": "float99"}')
    with_modules(keras="raise AssertionError")
    finding = by_name(REQUIREMENTS, software.ask(60))["keras"]
    assert finding.mark == MISSING and finding.advice.startswith(f"mv {tmp_path / 'keras.json'}")


def test_tf_keras_goes_with_tensorflow(with_modules):
    with_modules(tf_keras="__version__ = '2.16.0'")
    finding = by_name(REQUIREMENTS, software.ask(60))["tf-keras"]
    assert finding.mark == MISSING
    assert finding.found == "2.16.0 does not go with TensorFlow 2.21.0" and '"tf-keras==2.21.*"' in finding.advice


def test_tensorflow_io_without_its_library_is_no_hindrance(with_modules):
    with_modules(**{"tensorflow_io.python.ops.core_ops": "def __getattr__(name): raise NotImplementedError(name)"})
    finding = by_name(REQUIREMENTS, software.ask(60))["tensorflow-io"]
    assert finding.mark == NOTE and "without its native decoders" in finding.found


def test_a_package_that_is_not_there_or_too_old():
    found = by_name(["never-heard-of>=2,<3", "numpy<1"], {})
    assert found["never-heard-of"].mark == found["numpy"].mark == MISSING
    assert found["never-heard-of"].advice.endswith('pip install "never-heard-of<3,>=2"')
    assert "; <1 is wanted" in found["numpy"].found


def test_what_is_wanted_is_what_setup_py_says(tmp_path, monkeypatch):
    supported, requirements = software.wanted()
    assert SpecifierSet(supported).contains("{}.{}".format(*sys.version_info))
    assert any(line.startswith("tensorflow>=") for line in requirements)
    about = tmp_path / "toolkit-0.1.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text(
        "Metadata-Version: 2.1\nName: toolkit\nVersion: 0.1\nRequires-Python: >=3.11\n"
        'Requires-Dist: keras>=3.15\nRequires-Dist: ruff; extra == "development"\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(software, "ROOT", tmp_path)
    assert software.wanted() == (">=3.11", ["keras>=3.15"])


@pytest.mark.parametrize(
    ("supported", "mark"), [(">=3.11,<3.99", OK), (">=3.8,<3.9", MISSING), (">=3.98,<3.99", MISSING)]
)
def test_python(supported, mark):
    assert software.python(supported).mark == mark


def test_the_nearest_lock_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(software, "ROOT", tmp_path)
    answers = {"tensorflow": {"version": "2.21.0"}, "keras": {"version": "3.16.0"}, "tf_keras": {"version": "2.21.0"}}
    requirements = ["tensorflow>=2.16", "keras>=3.15", "tf-keras>=2.16"]
    assert list(software.tested_set(requirements, answers)) == []
    (tmp_path / "requirements-a.lock").write_text("# A lock\nkeras==3.15.1\ntf_keras==2.16.0\n")
    (tmp_path / "requirements-b.lock").write_text("keras==3.15.1\ntf_keras==2.21.0\n")
    (finding,) = software.tested_set(requirements, answers)
    assert finding.mark == NOTE and finding.found == "requirements-b.lock but for keras 3.16.0 (3.15.1)"
    assert "requirements-b.lock -e" in finding.advice
    (tmp_path / "requirements-c.lock").write_text("keras==3.16.0\ntf_keras==2.21.0\n")
    (finding,) = software.tested_set(requirements, answers)
    assert (finding.mark, finding.found) == (OK, "requirements-c.lock")
    assert list(software.tested_set(["keras>=3.15"], answers)) == [], "there is no TensorFlow"


def test_programs(tmp_path, monkeypatch):
    (tmp_path / "bazelisk").write_text("#!/bin/sh\n")
    (tmp_path / "bazelisk").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {finding.name: finding for finding in software.programs()}
    assert found["Bazel"].found == str(tmp_path / "bazelisk")
    assert found["Chromium"].mark == NOTE and "apt-get install -y chromium" in found["Chromium"].advice


def test_pip_is_that_of_this_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # not where ./run made its environment: a path below is said from here
    assert software.pip("keras") == f"{os.path.abspath(sys.executable)} -m pip install keras"
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    assert software.pip("keras") == ".venv/bin/python -m pip install keras"
