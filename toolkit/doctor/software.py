"""Python, packages and programs. Packages are tried in a process of their own: one may crash, hang or print."""

import ast
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from toolkit import keras_settings as settings
from toolkit.doctor.finding import MISSING, NOTE, OK, Finding

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The modules that show whether a package works, by the package's name.
MODULES = {
    "tensorflow": "tensorflow",
    "keras": "keras",
    "tf-keras": "tf_keras",
    "tensorflow-probability": "tensorflow_probability",
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tensorflow-io": "tensorflow_io",
}


def ask(time_limit: float) -> dict[str, dict]:
    """Has `toolkit.doctor._probe` import the libraries and measure, in a new process after each one that ends early.

    Args:
        time_limit: Seconds for each process.

    Returns:
        The answer to each question, a module's name or "speed": {} where it was not asked because TensorFlow does not
        work, {"error": why} where there is no answer.
    """
    questions = [*MODULES.values(), "speed"]
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), str(ROOT)]))
    environment = {**settings.environment(os.environ), "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    answers = {}
    while rest := [question for question in questions if question not in answers]:
        command = [sys.executable, "-m", "toolkit.doctor._probe", *rest]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, timeout=time_limit, check=False)
            output, ending = done.stdout, _ending(done)
        except subprocess.TimeoutExpired as late:
            output, ending = late.stdout or b"", f"no answer within {time_limit:g} s"
        for line in output.decode().splitlines():
            found = json.loads(line)
            answers[found.pop("question")] = found
        silent = [question for question in rest if question not in answers]
        if silent:
            answers[silent[0]] = {"error": ending}
        if "error" in answers["tensorflow"]:
            return {question: {} for question in questions} | {"tensorflow": answers["tensorflow"]}
    return answers


def _ending(done):
    if done.returncode < 0:
        return f"ended by {signal.Signals(-done.returncode).name}"
    return (done.stderr.decode(errors="replace").strip() or f"ended with status {done.returncode}").splitlines()[-1]


def wanted() -> tuple[str, list[str]]:
    """What setup.py, or without a checkout the installed package, asks for.

    Returns:
        The range of Python, such as ">=3.11,<3.14", and the requirements as pip takes them.
    """
    setup = ROOT / "setup.py"
    if setup.is_file():
        tree = ast.parse(setup.read_text(encoding="utf-8"))
        found = {node.arg: node.value for node in ast.walk(tree) if isinstance(node, ast.keyword)}
        found |= {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
        return ast.literal_eval(found["python_requires"]), ast.literal_eval(found["REQUIREMENTS"])
    requirements = importlib.metadata.requires("toolkit") or []
    supported = importlib.metadata.metadata("toolkit")["Requires-Python"]
    return supported, [line for line in requirements if "extra ==" not in line]


def pip(arguments: str) -> str:
    """A pip command for the Python that runs this.

    Args:
        arguments: What to install.
    """
    executable = pathlib.Path(sys.executable)
    if executable.is_relative_to(pathlib.Path.cwd()):
        executable = executable.relative_to(pathlib.Path.cwd())
    return f"{executable} -m pip install {arguments}"


def python(supported: str) -> Finding:
    """The Python that runs this.

    Args:
        supported: The range, such as ">=3.11,<3.14".
    """
    found = f"{platform.python_version()}, {sys.executable}"
    low, high = (tuple(map(int, number.split("."))) for number in re.findall(r"\d+\.\d+", supported))
    if low <= sys.version_info[:2] < high:
        return Finding("Python", OK, found)
    return Finding("Python", MISSING, f"{found}; {supported} is wanted", "./run doctor, which finds another Python")


def installed(name: str, answers: Mapping[str, dict]) -> str:
    """The version of a package, or "" where there is none.

    Args:
        name: The package.
        answers: What `ask` returned: what a module says of itself comes before what pip has noted.
    """
    told = answers.get(MODULES.get(name, ""), {}).get("version")
    try:
        return told or importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def packages(requirements: Sequence[str], answers: Mapping[str, dict]) -> Iterator[Finding]:
    """The packages that are wanted: a line for each one tried and each one that is not right, and one for the others.

    Args:
        requirements: As pip takes them.
        answers: What `ask` returned.

    Yields:
        What was found.
    """
    try:
        from packaging.requirements import Requirement
    except ImportError:  # then Keras and TensorFlow are not there either, which need it too
        yield Finding("packages", MISSING, "not installed", "./run doctor, which makes an environment that has them")
        return
    others = []
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate():
            finding = _package(requirement, installed(requirement.name, answers), answers)
            if requirement.name in MODULES or finding.mark != OK:
                yield finding
            else:
                others.append(f"{requirement.name} {finding.found}")
    yield Finding("other packages", OK, ", ".join(others))


def _package(requirement, version, answers):
    name, wanted_range = requirement.name, requirement.specifier
    answer = answers.get(MODULES.get(name, ""), {})
    error = answer.get("error", "")
    tensorflow = installed("tensorflow", answers)
    if not version and (not error or "ModuleNotFoundError" in error):
        return Finding(name, MISSING, "not installed", pip(f'"{name}{wanted_range}"'))
    if version and not wanted_range.contains(version, prereleases=True):
        return Finding(name, MISSING, f"{version}; {wanted_range} is wanted", pip(f'"{name}{wanted_range}"'))
    if name == "tf-keras" and tensorflow and _minor(version) != _minor(tensorflow):
        found = f"{version} does not go with TensorFlow {tensorflow}"
        return Finding(name, MISSING, found, pip(f'"tf-keras=={_minor(tensorflow)}.*"'))
    if error:
        return Finding(name, MISSING, f"{version} does not work: {error}".strip(), _mend(name, version, error))
    if name in MODULES and not answer:
        return Finding(name, NOTE, f"{version}, not tried without TensorFlow")
    if answer.get("native") is False:
        # The lock of the last TensorFlow that its library was built for, where there is a checkout.
        locks = ROOT.glob("requirements-tf2.16.lock")
        advice = next((pip(f'-c {lock} -e "{ROOT}"') for lock in locks), "")
        return Finding(name, NOTE, f"{version}, without its native decoders: they need TensorFlow 2.16", advice)
    return Finding(name, OK, f"{version}, native decoders" if answer.get("native") else version)


def _minor(version):
    return ".".join(version.split(".")[:2])


def _mend(name, version, error):
    if "no answer" in error:
        return "python -m toolkit.doctor --time_limit=600"
    if "SIGILL" in error and not re.search(r"\bavx\b", _read("/proc/cpuinfo")):
        return "none: this processor has no AVX, which TensorFlow's wheels need; take another machine"
    path = settings.keras_json()
    if name == "keras" and re.match("AssertionError|AttributeError|TypeError|ValueError", error) and path.exists():
        return f"mv {path} {path}.old, whose values Keras does not take"
    return pip(f'--force-reinstall --no-deps "{name}=={version}"' if version else f'--upgrade "{name}"')


def _read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def keras_settings() -> Iterator[Finding]:
    """What the user has set for Keras that recipes set aside.

    Yields:
        What was found; nothing where nothing is set.
    """
    found = settings.set_otherwise()
    if found:
        advice = "nothing, for recipes; another program of yours takes them"
        yield Finding("Keras settings", NOTE, f"{'; '.join(found)}: set aside by the recipes", advice)


def tested_set(requirements: Sequence[str], answers: Mapping[str, dict]) -> Iterator[Finding]:
    """Whether the versions are those of one of the checkout's locks, with which the tests were run.

    Args:
        requirements: The packages to compare, as pip takes them.
        answers: What `ask` returned.

    Yields:
        What was found; nothing without a checkout or TensorFlow.
    """
    names = [re.match(r"[\w-]+", line)[0] for line in requirements]
    here = {name: version for name in names if (version := installed(name, answers))}
    if "tensorflow" not in here:
        return
    differences = {}
    for lock in sorted(ROOT.glob("requirements-*.lock")):
        tested = dict(
            re.findall(r"^([\w.-]+)==(\S+)", lock.read_text(encoding="utf-8").replace("_", "-"), re.MULTILINE)
        )
        differences[lock.name] = [
            f"{name} {version} ({tested[name]})"
            for name, version in here.items()
            if tested.get(name, version) != version
        ]
    if differences:
        lock = min(differences, key=lambda name: len(differences[name]))
        if not differences[lock]:
            yield Finding("tested versions", OK, lock)
        else:
            advice = pip(f'-c {ROOT / lock} -e "{ROOT}"')
            yield Finding("tested versions", NOTE, f"{lock} but for {', '.join(differences[lock])}", advice)


def programs() -> Iterator[Finding]:
    """Programs that some commands need, but no recipe.

    Yields:
        What was found.
    """
    for name, executables, purpose, package in (
        ("TensorBoard", ["tensorboard"], "shows a run's curves and pictures", "tensorboard"),
        ("Chromium", ["chromium", "chromium-browser", "google-chrome"], "for the tests in a browser", "chromium"),
        ("Bazel", ["bazel", "bazelisk"], "for Bazel's targets", "bazel-bootstrap"),
    ):
        # An environment's programs are there, on PATH or not.
        path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
        found = next(filter(None, (shutil.which(executable, path=path) for executable in executables)), None)
        if found:
            yield Finding(name, OK, found)
        else:
            advice = pip(package) if name == "TensorBoard" else f"sudo apt-get install -y {package}"
            yield Finding(name, NOTE, f"not there; {purpose}", advice)
