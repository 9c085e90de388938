"""IAM-OnDB as published: pen strokes on a whiteboard in XML, their transcripts, and the lists that split the forms."""

import pathlib
import re
import sys
from collections.abc import Iterator

import numpy as np

from toolkit.data.strokes.lines import MOST_POINTS, Line
from toolkit.data.strokes.skipping import read_each
from toolkit.files import limits, xml_elements
from toolkit.files import text as text_files

# The database's own lists: training, second validation, first validation, test. Graves (1308.0850, section 4) trained
# on the training set, the larger validation set (testset_t) and the test set, and stopped early on the smaller one
# (testset_v): his figures are testset_v's. Here the test set is kept apart, to be reported.
LISTS = {"train": ("trainset.txt", "testset_t.txt"), "validation": ("testset_v.txt",), "test": ("testset_f.txt",)}
# A few of the published forms lack their transcript (z01-000z); where more is missing than one in this many, something
# was not unpacked.
_FEW = 20
# The board is about 10,000 units wide.
_LARGEST = 100_000.0
# A pen that goes out and back within two readings by this many times the line's median step is a reading that failed;
# tall letters that lack readings stay below.
_OUTLIER = 20.0


def read_iam_ondb(
    folder: pathlib.Path, *, text: bool, skip_corrupt: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads the database.

    The folder holds `lineStrokes` (of lineStrokes-all.tar.gz), `ascii` (of ascii-all.tar.gz) and the lists
    trainset.txt, testset_v.txt, testset_t.txt and testset_f.txt (of the task IAM-OnDB-t1), each there or up to two
    folders down. Forms that a list names but that are not there, and lines without transcript, are left out and
    counted, as are single points that a failed reading put far from their stroke.

    Args:
        folder: Where the archives were unpacked.
        text: Whether transcripts are wanted; without, `ascii` is not needed.
        skip_corrupt: Whether to leave out files of strokes that cannot be read, instead of stopping.

    Returns:
        Lines for training (trainset and testset_t), validation (testset_v) and test (testset_f); offsets in the board's
        units, y growing downward as in the files, in which a letter is about 200 units tall and a line has about 700
        points.

    Raises:
        FileNotFoundError: Where a folder or a list is missing.
        ValueError: Where a file is damaged, a list is malformed, a form is in two lists, or more than one in twenty
            forms or transcripts is missing.
    """
    if not folder.is_dir():
        raise ValueError(f"--data=iam:{folder} is a file. Expected the folder in which IAM-OnDB was unpacked.")
    strokes = _need(folder, "lineStrokes", "the folder that lineStrokes-all.tar.gz unpacks to")
    transcripts = _need(folder, "ascii", "the folder that ascii-all.tar.gz unpacks to") if text else None
    forms = _read_lists(folder)
    found = {form: list(_files(strokes, form)) for form in forms}
    absent = [form for form in forms if not found[form]]
    _left_out(folder, absent, len(forms), "forms", f"no such form in {strokes}")

    texts = {}
    if transcripts:
        for form in forms:
            if found[form]:
                path = transcripts / form[:3] / form[:7] / f"{form}.txt"
                rows = read_transcript(path) if path.is_file() and path.stat().st_size else []
                texts.update({f"{form}-{number:02}": row for number, row in enumerate(rows, 1) if row})
    paths = [path for form in forms for path in found[form]]
    without = [path.stem for path in paths if text and path.stem not in texts]
    _left_out(folder, without, len(paths), "lines", f"no transcript in {transcripts}")

    removed = {}
    wanted = [(path, part) for form, part in forms.items() for path in found[form] if not text or path.stem in texts]

    def line_of(path_and_part):
        path, part = path_and_part
        points = read_points(path)
        kept = without_outliers(points)
        if len(kept) < len(points):
            removed[path.stem] = len(points) - len(kept)
        offsets = np.diff(kept[:, :2], axis=0, prepend=kept[:1, :2])
        offsets = np.concatenate([offsets, kept[:, 2:]], axis=1).astype("float32")
        bar.update()
        return part, Line(offsets, texts.get(path.stem, ""), name=path.name)

    with _progress(len(wanted)) as bar:
        lines = read_each(wanted, line_of, source=f"--data=iam:{folder}", skip_corrupt=skip_corrupt)
    if removed:
        print(f"iam:{folder}: {sum(removed.values())} points of {len(removed)} lines removed: failed readings.")
    return tuple([line for part, line in lines if part == name] for name in LISTS)


def find(folder: pathlib.Path, name: str) -> pathlib.Path | None:
    """Looks for a file or folder up to two folders down.

    Args:
        folder: Where to start.
        name: Its name.

    Returns:
        The nearest one, or None.
    """
    for pattern in (name, f"*/{name}", f"*/*/{name}"):
        there = sorted(folder.glob(pattern))
        if there:
            return there[0]
    return None


def read_transcript(path: pathlib.Path) -> list[str]:
    """Reads a form's lines of text, those below `CSR:`.

    Args:
        path: A form's file, such as ascii/a01/a01-000/a01-000u.txt.

    Returns:
        The texts of lines 1, 2 and so on; empty where there is none.

    Raises:
        ValueError: Where the file is not UTF-8 text.
    """
    content = text_files.read(path, "a form's transcript", bound=limits.MIB)
    _, *rest = re.split(r"(?m)^CSR:\s*$", content, maxsplit=1)
    texts = "".join(rest).strip()
    # a08-551z parts lines by a row of % too.
    return [row.strip() for row in re.split(r"\n|%{5,}", texts)] if texts else []


def read_points(path: pathlib.Path) -> np.ndarray:
    """Reads a line's points.

    Args:
        path: A line's file, such as lineStrokes/a01/a01-000/a01-000u-01.xml.

    Returns:
        float64 (points, 3): x and y on the board, y growing downward, and 1 on each stroke's last point.

    Raises:
        ValueError: Where the file is damaged, over 64 MB, or of more than a million points; it and the line are named.
        FileNotFoundError: Where nothing is there.
        OSError: Where the system refuses.
    """
    points, starts, others = [], [], []

    def element(name, attributes, _):
        if name == "Point":
            try:
                x, y = float(attributes["x"]), float(attributes["y"])
            except (KeyError, ValueError):
                x = y = np.nan
            if not (abs(x) < _LARGEST and abs(y) < _LARGEST):
                found = f"expected a Point with x and y on the board; got {_shown(attributes)}."
                raise ValueError(f"stroke {len(starts)}: {found}")
            points.append((x, y))
            if len(points) > MOST_POINTS:
                raise ValueError(f"a line has at most {MOST_POINTS:,} points.")
        elif name == "Stroke":
            starts.append(len(points))
        else:
            others.append(name)
            # The published files are all of boards whose zero is at the top: only then does y grow downward.
            if name == "SensorLocation" and attributes.get("corner") != "top_left":
                raise ValueError(f"expected a sensor in the top_left corner; got {_shown(attributes)}.")

    xml_elements.parse(path, "a line's strokes", start=element)
    if others[:1] != ["WhiteboardCaptureSession"]:
        raise ValueError(f"{path}: expected a WhiteboardCaptureSession; got {str(others[:1])[:40]}.")
    return np.concatenate([points, _ends(path, points, starts)], axis=1)


def without_outliers(points: np.ndarray) -> np.ndarray:
    """Drops single points that jump far from both neighbours of their stroke, which lie close together.

    Args:
        points: (points, 3): x and y, and 1 on each stroke's last point.

    Returns:
        The same without them; a stroke's ends stay.

    Example:

    >>> stroke = np.array([[0, 0, 0], [1, 0, 0], [99, 9, 0], [2, 0, 0], [3, 0, 0], [4, 0, 1]])
    >>> without_outliers(stroke)[:, 0].tolist()
    [0, 1, 2, 3, 4]
    """
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T)
    inside = points[:-1, 2] == 0
    moved = steps[inside & (steps > 0)]
    if not len(moved):
        return points
    jumps = np.minimum(steps[:-1], steps[1:])
    across = np.hypot(*(points[2:, :2] - points[:-2, :2]).T)
    failed = inside[:-1] & inside[1:] & (jumps > _OUTLIER * np.median(moved)) & (across < 0.5 * jumps)
    return points[np.r_[True, ~failed, True]]


def _ends(path, points, starts):
    """1 on each stroke's last point, (points, 1)."""
    sizes = np.diff([*starts, len(points)])
    if not len(sizes) or starts[0]:
        raise ValueError(f"{path}: expected strokes with points; got {len(sizes)} strokes and {len(points)} points.")
    if not sizes.all():
        raise ValueError(f"{path}: stroke {np.argmin(sizes) + 1} of {len(sizes)} has no point.")
    ends = np.zeros((len(points), 1))
    ends[np.cumsum(sizes) - 1] = 1.0
    return ends


def _read_lists(folder) -> dict[str, str]:
    """Each form with its part, in the lists' order."""
    forms, named = {}, {}
    what = "the task IAM-OnDB-t1's list of the forms to train, validate or test with"
    for part, names in LISTS.items():
        for name in names:
            path = _need(folder, name, what)
            for number, row in enumerate(text_files.read(path, what, bound=limits.MIB).split("\n"), 1):
                form = row.strip()
                if form and not re.fullmatch(r"[a-z]\d\d-\d{3}[a-z]?", form):
                    raise ValueError(f"{path}, line {number}: expected a form such as a01-000u; got {form[:40]!r}.")
                if named.get(form, name) != name:
                    raise ValueError(f"{path}, line {number}: the form {form} is in {named[form]} too.")
                if form:
                    forms[form], named[form] = part, name
    return forms


def _files(strokes, form) -> Iterator[pathlib.Path]:
    """The form's lines in their order."""
    names = sorted((strokes / form[:3] / form[:7]).glob(f"{form}-*.xml"))
    return (path for path in names if re.fullmatch(r"-\d\d\.xml", path.name.removeprefix(form)))


def _need(folder, name, what):
    found = find(folder, name)
    if found is None:
        raise FileNotFoundError(
            f"--data=iam:{folder}: no {name} in it or up to two folders down. Expected {what}. Needed are lineStrokes, "
            "ascii (for text) and the lists trainset.txt, testset_v.txt, testset_t.txt and testset_f.txt."
        )
    return found


def _left_out(folder, missing, total, unit, why):
    if len(missing) * _FEW > total:
        raise ValueError(
            f"--data=iam:{folder}: {len(missing)} of {total} {unit} cannot be read: {why}, such as {missing[0]}. Were "
            "the archives unpacked whole?"
        )
    if missing:
        print(f"iam:{folder}: {len(missing)} of {total} {unit} left out: {why}, such as {missing[0]}.")


def _shown(attributes):
    """Of a million attributes, or one of a million characters, the beginning."""
    return str({name[:40]: value[:40] for name, value in list(attributes.items())[:4]})[:120]


def _progress(total):
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc="IAM-OnDB",
        unit="line",
        delay=2,
        mininterval=0.5 if terminal else 15,
        ncols=None if terminal else 100,
        dynamic_ncols=terminal,
    )
