"""Every file that a run keeps and reads again, damaged in every way: it is named, or the end is as without damage."""

import io
import json
import os
import pathlib
import shutil
import zipfile

import keras
import numpy as np
import pytest

from tests.faults.hostile import DAMAGES, check_answer, table, unchanged
from tests.training.shapes import Example, batches, network, one_model, weights
from toolkit.data.pipelines import Splits
from toolkit.training import Run, building, shipping, timing
from toolkit.training.workdir import stored_settings

RECIPE = "example"


def splits(settings):
    return Splits(batches(), batches(), batches())


def opened(workdir, **settings):
    return Run(Example(workdir=str(workdir), **settings), RECIPE, load=splits)


def trains_on(workdir):
    """Two more epochs; the weights that come of it."""
    run = opened(workdir, epochs=3)
    try:
        return weights(one_model(run, data=run.data.train))
    finally:
        run.close()


def loads(workdir):
    run = opened(workdir)
    try:
        return run.load().get_weights()
    finally:
        run.close()


def measures(workdir):
    run = opened(workdir)
    try:
        run.report({"error_mm": 2.0})
        return [run.metrics()["error_mm"]]
    finally:
        run.close()


def times(workdir):
    run = opened(workdir)
    try:
        run.keep_benchmark("step", 1.0, "step")
    finally:
        run.close()


def cell(run, units):
    return {"error_mm": float(units)}


def studies(workdir):
    run = opened(workdir)
    try:
        return [row["error_mm"] for row in run.study("sizes", {"units": [4]}, cell)]
    finally:
        run.close()


def builds(workdir):
    return building.load_file(workdir / "model.keras").get_weights()


def settings_of(workdir):
    stored = stored_settings(workdir, Example)
    return [4] if stored is None else [stored["settings"]["units"]]  # missing: a folder that is no run's


def latencies(workdir):
    timing.show_latencies(workdir)


def shipped(workdir):
    before, shipping.FOLDER = shipping.FOLDER, workdir.parent
    try:
        shipping.shipped_settings(workdir.name)
    finally:
        shipping.FOLDER = before


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A workdir with everything in it, after two of three epochs; and what each reading gives of it."""
    workdir = tmp_path_factory.mktemp("whole") / "run"
    run = opened(workdir, epochs=2)
    (model,) = one_model(run, data=run.data.train)
    run.report({"error_mm": 1.5})
    run.keep_benchmark("step", 1.0, "step")
    run.study("sizes", {"units": [4]}, cell)
    run.close()
    (workdir / ".lock").write_text("as it is")  # so that it can be damaged
    model.save(workdir / "model.keras")
    card = {"settings": {"units": 4}, "files": {"model.tflite": {"latency_ms": {"call": 1.5}}}}
    (workdir / "card.json").write_text(json.dumps(card))
    expected = {}
    for read in READS.values():
        for function in read:
            shutil.copytree(workdir, workdir.parent / "copy")
            expected[function] = function(workdir.parent / "copy")
            shutil.rmtree(workdir.parent / "copy")
    return workdir, expected


READS = {
    "settings.json": [settings_of, loads],
    "trained_on.json": [trains_on],
    "checkpoints/model/latest.npz": [trains_on],
    "checkpoints/model/best.npz": [loads],
    "checkpoints/model/networks.json": [loads],
    "metrics.json": [measures],
    "benchmarks.json": [times],
    "studies/sizes/units=4/result.json": [studies],
    "model.keras": [builds],
    "card.json": [latencies, shipped],
    ".lock": [loads],
}


def damaged():
    for name, functions in READS.items():
        for function in functions:
            for damage in DAMAGES:
                yield f"{name}, {function.__name__}: {damage}", name, function, damage


def check(workdir, whole, function, name, expected=""):
    """Tries a row: what is right where it works, else its name told; and no file there that was not."""
    before = {path for path in workdir.rglob("*")}
    found = []
    error = check_answer(
        lambda: found.append(function(workdir)), [name, name.rpartition("/")[2], str(workdir)], expected
    )
    if error is None and expected != "works":
        left, right = (np.array(each, dtype=object) for each in (found[0], whole[1][function]))
        assert (found[0] is None) == (whole[1][function] is None)
        for one, other in zip(left if found[0] is not None else [], right if found[0] is not None else [], strict=True):
            np.testing.assert_array_equal(one, other)
    elif error is not None:
        new = {str(path.relative_to(workdir)) for path in workdir.rglob("*")} - {
            str(path.relative_to(workdir)) for path in before
        }
        assert not [path for path in new if not path.startswith("logs")], new


@pytest.mark.parametrize("name, function, damage", table(damaged()))
def test_damaged(name, function, damage, whole, tmp_path, monkeypatch):
    workdir = tmp_path / "run"
    shutil.copytree(whole[0], workdir)
    monkeypatch.chdir(tmp_path)
    DAMAGES[damage](workdir / name)
    check(workdir, whole, function, name)


SETTINGS, LATEST, BEST = "settings.json", "checkpoints/model/latest.npz", "checkpoints/model/best.npz"
NETWORKS, TRAINED_ON = "checkpoints/model/networks.json", "trained_on.json"


def rewritten(change):
    """A damage: the file's JSON, changed."""

    def damage(path):
        content = json.loads(path.read_text())
        changed = change(content)
        path.write_text(json.dumps(content if changed is None else changed))

    return damage


def put(value, *keys):
    """A damage: one field of the file's JSON is another."""

    def change(content):
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return rewritten(change)


def without(*keys):
    def change(content):
        for key in keys[:-1]:
            content = content[key]
        del content[keys[-1]]

    return rewritten(change)


def arrays(change, pack=np.savez):
    """A damage: the file's arrays, changed."""

    def damage(path):
        with np.load(path) as file:
            held = dict(file)
        changed = change(held)
        with open(path, "wb") as file:
            pack(file, **(held if changed is None else changed))

    return damage


def progress(**changed):
    def change(held):
        told = {**json.loads(held["progress"].tobytes()), **changed}
        told = {key: value for key, value in told.items() if value is not ...}
        held["progress"] = np.frombuffer(json.dumps(told).encode(), np.uint8)

    return arrays(change)


def first(make):
    return arrays(lambda held: held.update({"model/0000": make(held["model/0000"])}))


def not_a_number(array):
    array[0] = np.nan
    return array


def giant(path):
    """A header that says more than any machine has, in a zip that says the same."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 34,)})
        archive.writestr("model/0000.npy", header.getvalue())
        archive.writestr("progress.npy", header.getvalue())


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(name, bytes(80 << 20))


def other_model(path):
    network(Example(units=9)).save(path)


def weights_of_another(path):
    """A whole .keras whose weights are of another network than its config says."""
    other = path.with_name("other.keras")
    other_model(other)
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(other) as two:
        content = {name: one.read(name) for name in one.namelist()} | {"model.weights.h5": two.read("model.weights.h5")}
    other.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)


def configured(change):
    """A .keras with another config.json."""

    def damage(path):
        with zipfile.ZipFile(path) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(content["config.json"])
        content["config.json"] = json.dumps(change(config) or config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, each in content.items():
                archive.writestr(name, each)

    return damage


def layer(value, *keys):
    """One field of the first dense layer in a network's config is another."""

    def change(config):
        found = config["config"]["layers"][1]
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


def of_network(change):
    return rewritten(lambda content: change(content["network"]["config"]))


CODE = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
DOWNLOAD = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wAAAAA="}}
ODD = {
    "no layers": layer([], "config"),
    "a layer that is not known": layer("Nothing", "class_name"),
    "a class of a module that runs": lambda config: (
        layer("Popen", "class_name")(config) or layer("subprocess", "module")(config)
    ),
    "a function of the system": layer(CODE, "config", "activation"),
    "a function that downloads": layer(DOWNLOAD, "config", "activation"),
    "a lambda": layer(LAMBDA, "config", "activation"),
    "a module of no package": layer("toolkit.layers.nothing", "module"),
    "another number of units": layer(7, "config", "units"),
    "units that are words": layer("many", "config", "units"),
    "a thousand million units": layer(10**9, "config", "units"),
    "minus one unit": layer(-1, "config", "units"),
    "a list": lambda config: [config],
    "no config": lambda config: {"class_name": "Sequential"},
}

CHANGED = [
    ("another recipe", SETTINGS, put("other", "recipe"), loads, "belongs to the recipe 'other'"),
    ("the recipe is a number", SETTINGS, put(3, "recipe"), loads, "recipe is int, expected str"),
    ("no recipe", SETTINGS, without("recipe"), loads, "has no recipe"),
    ("no settings", SETTINGS, without("settings"), loads, "has no settings"),
    ("the settings are a list", SETTINGS, put([1], "settings"), loads, "settings is list, expected dict"),
    ("the commands are words", SETTINGS, put("train", "commands"), loads, "commands is str, expected list"),
    ("units are words", SETTINGS, put("many", "settings", "units"), loads, "--units must be int; got 'many'"),
    ("units are true", SETTINGS, put(True, "settings", "units"), loads, "--units must be int; got True"),
    ("units are null", SETTINGS, put(None, "settings", "units"), loads, "--units must be int; got None"),
    ("minus one unit", SETTINGS, put(-1, "settings", "units"), loads, "--units must be at least 1"),
    ("other units", SETTINGS, put(5, "settings", "units"), loads, "made with --units=5, not 4"),
    ("a precision of no name", SETTINGS, put("float7", "settings", "precision"), loads, "--precision must be one of"),
    ("an infinite number", SETTINGS, put(float("inf"), "settings", "checkpoint_minutes"), loads, "finite"),
    ("a setting of a later version", SETTINGS, put(7, "settings", "depth"), loads, "works"),
    ("a setting of an earlier version", SETTINGS, without("settings", "precision"), loads, "works"),
    ("versions are left out", SETTINGS, without("versions"), loads, "works"),
    ("who trained is a list", SETTINGS, put([1], "trained_by"), loads, "works"),
    ("nothing is known of the data", TRAINED_ON, lambda path: path.unlink(), trains_on, ""),
    ("the data's contents are words", TRAINED_ON, put("all", "contents"), trains_on, "contents is str"),
    ("other data", TRAINED_ON, put("0" * 16, "contents", "train", "order"), trains_on, "is not what"),
    ("more examples", TRAINED_ON, put(41, "contents", "train", "number of examples"), trains_on, "41 before, 40 now"),
    ("figures of a later version", TRAINED_ON, put({"more": 1}, "contents"), trains_on, ""),
    ("a metric is words", "metrics.json", put("low", "error_mm"), measures, "error_mm is str"),
    ("metrics are a list", "metrics.json", lambda path: path.write_text("[1]"), measures, "holds list"),
    ("a metric is infinite", "metrics.json", put(float("inf"), "more"), measures, ""),
    ("times are a list", "benchmarks.json", lambda path: path.write_text("[1]"), times, "holds list"),
    ("a result without metrics", "studies/sizes/units=4/result.json", without("metrics"), studies, "has no metrics"),
    ("a result that is words", "studies/sizes/units=4/result.json", put("x", "metrics", "error_mm"), studies, "is str"),
    (
        "a result of other settings",
        "studies/sizes/units=4/result.json",
        put(3, "settings", "units"),
        studies,
        "units=3",
    ),
    ("a network without weights", NETWORKS, without("network", "weights"), loads, "has no weights"),
    ("a network's weights are words", NETWORKS, put("all", "network", "weights"), loads, "weights is str"),
    ("weights of no name", NETWORKS, put(["model/0", 3, None], "network", "weights"), loads, "does not hold"),
    ("weights in another order", NETWORKS, rewritten(lambda c: c["network"]["weights"].reverse()), loads, "not hold"),
    ("no network", NETWORKS, lambda path: path.write_text("{}"), loads, "names no network"),
    ("another name", NETWORKS, rewritten(lambda c: {"other": c["network"]}), loads, "works"),
    ("a card without settings", "card.json", without("settings"), shipped, "has no settings"),
    ("a card without files", "card.json", without("files"), latencies, "has no files"),
    ("a card whose file is words", "card.json", put("x", "files", "model.tflite"), latencies, "holds str"),
    (
        "a card whose time is words",
        "card.json",
        put("x", "files", "model.tflite", "latency_ms", "call"),
        latencies,
        "str",
    ),
    ("no such model", "model.keras", other_model, builds, "works"),
    ("weights of another network", "model.keras", weights_of_another, builds, "not a whole .keras file"),
    ("a bomb", "model.keras", bomb, builds, "allowed"),
]
for place, read in ((LATEST, trains_on), (BEST, loads)):
    anew = "Remove it to start this stage anew"
    CHANGED += [
        ("no progress", place, arrays(lambda held: held.__delitem__("progress")), read, anew),
        (
            "progress is noise",
            place,
            arrays(lambda held: held.update(progress=np.arange(90, dtype="uint8"))),
            read,
            anew,
        ),
        ("progress is floats", place, arrays(lambda held: held.update(progress=np.ones(9))), read, anew),
        ("the step is words", place, progress(step="3"), read, "step is str, expected int"),
        ("no step", place, progress(step=...), read, "has no step"),
        ("a weight is missing", place, arrays(lambda held: held.__delitem__("model/0000")), read, "model"),
        ("a weight is not a number", place, first(not_a_number), read, "not finite"),
        ("a weight of another shape", place, first(lambda array: array[:1]), read, ""),
        ("a weight of another type", place, first(lambda array: array.astype("float64")), read, "float64"),
        ("a weight of complex numbers", place, first(lambda array: array.astype("complex64")), read, "complex64"),
        ("a weight of words", place, first(lambda array: array.astype("U9")), read, ""),
        ("packed", place, arrays(lambda held: None, np.savez_compressed), read, ""),
        ("headers that say too much", place, giant, read, anew),
    ]
CHANGED += [
    (
        "one more array",
        LATEST,
        arrays(lambda held: held.update({"model/0009": np.ones(3)})),
        trains_on,
        "another model",
    ),
    ("other steps an epoch", LATEST, progress(steps_per_epoch=7), trains_on, "7 steps an epoch"),
    ("no steps an epoch", LATEST, progress(steps_per_epoch=0), trains_on, "0 steps an epoch"),
    ("minus three steps", LATEST, progress(step=-3), trains_on, "step is -3"),
    ("it stopped at a word", LATEST, progress(stopped="no"), trains_on, "stopped is str"),
    ("the lowest is words", LATEST, progress(lowest="low"), trains_on, "lowest is str"),
    ("built on a list", LATEST, progress(built_on=[1]), trains_on, "built_on is list"),
    ("sums are numbers", LATEST, progress(sums=3), trains_on, "sums is int"),
    ("more is told", LATEST, progress(later="yes"), trains_on, ""),
]
CHANGED += [(f"networks.json, {told}", NETWORKS, of_network(change), loads, "") for told, change in ODD.items()]
CHANGED += [(f".keras, {told}", "model.keras", configured(change), builds, "") for told, change in ODD.items()]
CHANGED += [
    (
        "a class is called otherwise",
        NETWORKS,
        of_network(layer(5, "config", "units")),
        trains_on,
        "units: 5 before, 4 now",
    ),
    ("computed in another precision", NETWORKS, of_network(layer("float16", "config", "dtype")), trains_on, ""),
]


@pytest.mark.parametrize(
    "name, damage, function, expected",
    table((f"{name.rpartition('/')[2]}: {told}", name, *rest) for told, name, *rest in CHANGED),
)
def test_changed(name, damage, function, expected, whole, tmp_path, monkeypatch):
    workdir = tmp_path / "run"
    shutil.copytree(whole[0], workdir)
    monkeypatch.chdir(tmp_path)
    damage(workdir / name)
    check(workdir, whole, function, name, expected)


class Remove(keras.callbacks.Callback):
    """Takes the workdir away after some steps, or puts something else in its place."""

    def __init__(self, workdir, change):
        super().__init__()
        self.workdir, self.change, self.left = workdir, change, 7

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            self.change(self.workdir)


def replaced(make):
    def change(path):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        make(path)

    return change


def moved(path):
    path.rename(path.with_name("elsewhere"))


GONE = {
    "removed": shutil.rmtree,
    "moved": moved,
    "a file in its place": replaced(lambda path: path.write_text("words")),
    "a new folder in its place": replaced(lambda path: path.mkdir()),
    "its checkpoints removed": lambda path: shutil.rmtree(path / "checkpoints"),
    "its settings removed": lambda path: (path / "settings.json").unlink(),
}


@pytest.mark.parametrize("change", table(GONE.items()))
def test_gone_while_it_trains(change, tmp_path):
    """It ends by the next checkpoint, and makes nothing anew."""
    workdir = tmp_path / "run"
    run = Run(Example(workdir=str(workdir)), RECIPE)
    expected = "works" if change is GONE["its settings removed"] else "Was it removed or moved?"
    check_answer(lambda: one_model(run, callbacks=(Remove(workdir, change),)), [str(workdir)], expected)
    run.close()
    if change in (shutil.rmtree, moved):
        assert not workdir.exists()


PLACES = {
    "a file": (lambda path: path.write_text("words"), "it is a file, or a link to nothing"),
    "a pipe": (os.mkfifo, "it is a file, or a link to nothing"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "it is a file, or a link to nothing"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "it is a file, or a link to nothing"),
    "a link to a device": (lambda path: path.symlink_to("/dev/null"), "it is a file, or a link to nothing"),
    "a link to a folder": (lambda path: path.symlink_to(path.with_name("other").mkdir() or "other"), "works"),
    "a folder with others' files": (lambda path: (path / "thesis").mkdir(parents=True), "holds other files"),
    "a folder with a hidden file": (lambda path: (path / ".thesis").mkdir(parents=True), "works"),
    "logs is a file": (lambda path: (path.mkdir(), (path / ".a").touch(), (path / "logs").touch()), "other files"),
}


@pytest.mark.parametrize("make, expected", table((name, *row) for name, row in PLACES.items()))
def test_what_lies_at_the_workdir(make, expected, tmp_path):
    make(tmp_path / "run")
    with unchanged(tmp_path / "run" if expected != "works" else tmp_path / "nothing"):
        check_answer(lambda: opened(tmp_path / "run").close(), [str(tmp_path / "run")], expected)


NAMES = {
    "the root": ("/", "holds other files"),
    "a system's folder": ("/proc", "holds other files"),
    "where nothing can be": ("/proc/none/here", "cannot be written"),
    "of no user": ("~nosuchuser/runs", "there is no such user"),
    "too long": ("a" * 300, "cannot be written"),
    "a zero byte": ("a\0b", "zero byte"),
    "of no encoding": (os.fsdecode(b"caf\xe9"), ""),
    "with spaces and signs": ("a $b; (c) \n d", "works"),
    "words in another script": ("\u0440\u0443\u043a\u0430", "works"),
    "empty": ("", "--workdir is needed"),
}


@pytest.mark.parametrize("name, expected", table((told, *row) for told, row in NAMES.items()))
def test_names_of_workdirs(name, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_answer(lambda: opened(name).close(), [name.split("/")[0], "workdir", repr(name)[1:-1]], expected)
    if expected not in ("works", ""):
        assert not list(tmp_path.iterdir())


INSIDE = {
    "checkpoints is a file": ("checkpoints", trains_on, "cannot be made"),
    "a stage is a file": ("checkpoints/model", trains_on, "cannot be made"),
    "logs is a file": ("logs", loads, "is no folder"),
}


@pytest.mark.parametrize("name, function, expected", table((told, *row) for told, row in INSIDE.items()))
def test_what_lies_in_the_workdir(name, function, expected, whole, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(whole[0], workdir)
    replaced(lambda path: path.write_text("words"))(workdir / name)
    check_answer(lambda: function(workdir), [str(workdir / name)], expected)


def test_what_a_kill_left_is_removed_and_nothing_else(tmp_path, whole):
    workdir = tmp_path / "run"
    shutil.copytree(whole[0], workdir)
    left = workdir / "checkpoints" / "model" / ".latest.npz.123.tmp"
    left.write_text("half")
    (workdir / ".x.json.7.tmp").symlink_to("/etc/hostname")
    keeps = [workdir / ".mine.tmp", workdir / ".a.1.tmp" / "thesis"]
    for path in keeps:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    opened(workdir).close()
    assert not left.exists() and not (workdir / ".x.json.7.tmp").is_symlink()
    assert all(path.exists() for path in keeps) and pathlib.Path("/etc/hostname").exists()
