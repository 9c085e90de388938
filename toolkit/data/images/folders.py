"""Folders of image files: which of them are parts and which are classes, what in them is an image, what is left out."""

import dataclasses
import os
import re

import numpy as np

from toolkit.data.images.files import FORMATS, check
from toolkit.files import binary
from toolkit.files.names import printable

# A file of such a name is meant as an image, and is damaged where it is none. Of others the content is looked at.
SUFFIXES = tuple(".jpg .jpeg .jpe .jfif .png .bmp .gif .webp .tif .tiff .ppm .pgm .pbm .pnm .avif".split())
LAYOUT = "expected PATH/train/CLASS/*.jpg and PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg"
SPLIT_WORDS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("validation", "validate", "val", "valid", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
# What is written round those: "train_set", "TestImages".
_FILLERS = {"set", "data", "dataset", "image", "images", "imgs", "split", "part", "folder"}
# What machines keep for themselves, beside what begins with a dot.
_MACHINES = {"@eaDir", "@Recycle", "#recycle", "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
_DEEPEST = 60


@dataclasses.dataclass
class Tree:
    """A folder with what is below it.

    Args:
        path: The folder.
        images: Paths of the images in it, in order.
        folders: Those in it, in order.
        left_out: What else is in it, each with its path and why.
        repeated: Names of links in it that lead to what is read already.
    """

    path: str
    images: list[str] = dataclasses.field(default_factory=list)
    folders: list["Tree"] = dataclasses.field(default_factory=list)
    left_out: list[str] = dataclasses.field(default_factory=list)
    repeated: list[str] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """The folder's name."""
        return os.path.basename(self.path)

    @property
    def filled(self) -> list["Tree"]:
        """The folders in it with an image somewhere."""
        return [folder for folder in self.folders if folder.images or folder.filled]

    def everything(self, what: str) -> list[str]:
        """Gives its images, or what is left out, with those of the folders below.

        Args:
            what: "images" or "left_out".
        """
        return [*getattr(self, what), *(path for folder in self.folders for path in folder.everything(what))]


def tree(root: str | os.PathLike) -> Tree:
    """Finds all images below a folder.

    Hidden folders and what machines keep for themselves are not looked into. No folder is read twice: a link is
    followed where it leads out of the folder, and to none that was read before.

    Args:
        root: The folder.

    Returns:
        What is there.
    """
    inside = os.path.realpath(root)
    seen = {_identity(inside)}

    def read(path, depth):
        found = Tree(path)
        try:
            with os.scandir(path) as entries:
                entries = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            found.left_out.append(f"{path} (a folder that cannot be read: {error.strerror})")
            return found
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _MACHINES:
                continue
            if not _is_folder(entry):
                if entry.name.lower().endswith(SUFFIXES) or _is_image(entry.path):
                    found.images.append(entry.path)
                else:
                    found.left_out.append(f"{entry.path} (no image)")
            elif depth == _DEEPEST:
                found.left_out.append(f"{entry.path} (a folder {depth} folders deep)")
            elif (entry.is_symlink() and _within(entry.path, inside)) or _identity(entry.path) in seen:
                found.left_out.append(f"{entry.path} (leads to a folder that is read already)")
                found.repeated.append(entry.name)
            else:
                seen.add(_identity(entry.path))
                found.folders.append(read(entry.path, depth + 1))
        return found

    return read(os.fspath(root), 0)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _identity(path):
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _within(link, inside):
    """Whether a link leads to a folder, to one below it, or to one that it is in."""
    target = os.path.realpath(link)
    return os.path.commonpath([target, inside]) in (target, inside)


def _is_image(path):
    try:
        check(path)
    except (ValueError, OSError):
        return False
    return True


def parts(root: Tree) -> dict[str, Tree]:
    """Finds the folders that are the parts of a data set, by their names and by what they hold.

    A part holds the folders of classes, a class holds images: so a class, too, may be called "train".

    Args:
        root: What --data names.

    Returns:
        By split, the folder whose folders are the classes; where there are no parts, "train" is all of it.

    Raises:
        ValueError: Where it is not plain which is which.
    """
    while True:
        found = _parts(root)
        if found:
            return {split: _unwrapped(folder) for split, folder in found.items()}
        if _unwrapped_once(root) is None:
            return {"train": root}
        root = _unwrapped_once(root)


def _unwrapped_once(folder):
    """The only folder in one, where all that it holds is folders again; None: it has several, or images."""
    only = folder.filled
    return only[0] if len(only) == 1 and not (folder.images or only[0].images) else None


def _unwrapped(folder):
    while _unwrapped_once(folder) is not None:
        folder = _unwrapped_once(folder)
    return folder


def _parts(root):
    found = {folder.path: _split(folder.name) for folder in root.filled if folder.filled}
    found = {path: split for path, split in found.items() if split} or _alike(root)
    if not found:
        flat = [folder for folder in root.filled if _split(folder.name)]
        if len({_split(folder.name) for folder in flat}) > 1 or (flat and len(root.filled) == 1):
            names = " and ".join(folder.name for folder in flat)
            raise ValueError(f"{root.path}: images lie in {names}, not in a folder for each class; {LAYOUT}.")
        return None
    beside = [folder.name for folder in root.filled if folder.path not in found]
    names = [os.path.basename(path) for path in found]
    if beside:
        raise ValueError(
            f"{root.path} holds {', '.join(names)}, which look like parts, and {', '.join(beside[:5])}: are these "
            "parts or classes? Call parts train, validation and test, and move away what is none."
        )
    folders = {}
    for folder in root.folders:
        split = found.get(folder.path) or _split(folder.name)
        if split and not (folder.images or folder.filled):
            raise ValueError("; ".join([f"{folder.path} holds no image", *folder.left_out[:1]]) + ".")
        if split in folders:
            raise ValueError(
                f"{root.path} holds {folders[split].name} and {folder.name}: only one can be the {split} part."
            )
        if split:
            folders[split] = folder
    twice = next(filter(_split, root.repeated), None)
    if twice:
        raise ValueError(
            f"{os.path.join(root.path, twice)} leads to a folder that is read already: no image can be in two parts."
        )
    if "train" not in folders:
        raise ValueError(f"{root.path} holds {', '.join(names)}, but no train; {LAYOUT}.")
    return {split: folders[split] for split in ("train", "validation", "test") if split in folders}


def _split(name):
    """The split that a folder's name means, as "Training_set" means "train"; None: none."""
    words = [word for word in _words(name) if word not in _FILLERS]
    return SPLIT_WORDS.get(words[0]) if len(words) == 1 else None


def _words(name):
    return [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+", name)]


def _alike(root):
    """Folders of less usual names, such as "seg_train" and "seg_test", that hold the same classes."""
    found, classes = {}, {}
    for folder in root.filled:
        splits = {SPLIT_WORDS[word] for word in _words(folder.name) if word in SPLIT_WORDS}
        if len(splits) == 1 and folder.filled:
            found[folder.path] = splits.pop()
            classes[folder.path] = {each.name for each in _unwrapped(folder).filled}
    shared = set.intersection(*classes.values()) if classes else set()
    return found if len(shared) > 1 and "train" in found.values() and len(set(found.values())) > 1 else {}


def classes(folder: Tree) -> dict[str, Tree]:
    """Gives the classes of a part.

    Args:
        folder: The part.

    Returns:
        By printable name, in its order, the folder of each class.

    Raises:
        ValueError: Where an image lies beside them, a folder holds none, or what they hold are parts.
    """
    if folder.images:
        raise ValueError(f"{folder.images[0]} lies beside the folders of the classes, not in one; {LAYOUT}.")
    if not folder.folders:
        raise ValueError("; ".join([f"{folder.path} holds no folders", *folder.left_out[:1], f"{LAYOUT}."]))
    found = {}
    for each in folder.folders:
        name = printable(each.name)
        if name in found:
            raise ValueError(f"{folder.path} holds two folders that are both written {name}: rename one.")
        if not (each.images or each.filled):
            why = [f"{each.path} holds no image ({', '.join(FORMATS)})", *each.left_out[:1]]
            raise ValueError(f"{'; '.join(why)}.")
        found[name] = each
    inner = [[_split(below.name) for below in each.filled] for each in found.values()]
    if all(len(set(splits)) > 1 and all(splits) for splits in inner):
        names = " and ".join(below.name for below in next(iter(found.values())).filled)
        raise ValueError(f"{folder.path}: each class holds {names}; {LAYOUT}.")
    return dict(sorted(found.items()))


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Image files by class.

    Args:
        items: By split, their paths.
        labels: By split, the number of each one's class.
        class_names: The classes, in the order of their numbers.
        left_out: What in the classes' folders is not read, each with its path and why.
        folders: By split, its folder, from the one that --data names.
    """

    items: dict[str, list[str]]
    labels: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    left_out: tuple[str, ...]
    folders: dict[str, str]


def labelled(root: str) -> Labelled:
    """Finds the images below a folder, and the class of each.

    Args:
        root: What --data names.

    Returns:
        The paths and classes.

    Raises:
        FileNotFoundError: Where there is no such folder.
        ValueError: Where it is not plain what the folders are; they are named.
    """
    path = binary.expanded(root)
    if not root or not os.path.lexists(path):
        raise FileNotFoundError(f"--data=folder:{root}: no such folder; {LAYOUT}.")
    if not path.is_dir():
        raise ValueError(f"--data=folder:{root} is no folder; {LAYOUT}. Unpack what is packed.")
    folders = parts(tree(path))
    found = {split: classes(folder) for split, folder in folders.items()}
    for split, folder in folders.items():
        told = [
            f"{here.path} has no folder {', '.join(missing[:5])}{', ...' * (len(missing) > 5)}"
            for here, missing in (
                (folder, sorted(found["train"].keys() - found[split].keys())),
                (folders["train"], sorted(found[split].keys() - found["train"].keys())),
            )
            if missing
        ]
        if told:
            raise ValueError(f"--data=folder:{root}: {'; '.join(told)}. All parts need a folder for each class.")
    names = tuple(found["train"])
    images = {s: [each.everything("images") for each in by_name.values()] for s, by_name in found.items()}
    return Labelled(
        {split: [path for paths in by_class for path in paths] for split, by_class in images.items()},
        {split: np.repeat(np.arange(len(names)), list(map(len, by_class))) for split, by_class in images.items()},
        names,
        tuple(told for by_name in found.values() for each in by_name.values() for told in each.everything("left_out")),
        {split: os.path.relpath(folder.path, path) for split, folder in folders.items()},
    )
