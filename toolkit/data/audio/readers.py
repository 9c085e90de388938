"""Where speech comes from: --data=READER:REST."""

import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from toolkit.data.audio import alignments, files, formants
from toolkit.data.audio.clips import Clip
from toolkit.files import binary
from toolkit.files.names import printable

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus")
_ALIGNED = (".phn", ".lab", ".txt")  # beside NAME.wav, in this order
_FSDD = "{unit}_{speaker}_{take}"
_MOST_MINUTES, _MOST_SPEAKERS = 6000, 1000


class Found(NamedTuple):
    """What a reader found.

    Args:
        clips: The recordings, not opened yet.
        left_out: Files that are not read, each with its path and why.
        skipped: Files that cannot be read, where these are left out, each with why.
        notes: What else is to be told.
    """

    clips: list[Clip]
    left_out: list[str]
    skipped: list[str]
    notes: list[str]


def _embedded(rest, *, sample_rate, seed, **_):
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)?(?::([0-9]{1,6}))?", rest)
    minutes, num_speakers = (float(found[1] or 30), int(found[2] or 6)) if found else (0, 0)
    if not (0.1 <= minutes <= _MOST_MINUTES and 1 <= num_speakers <= _MOST_SPEAKERS):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected a number of minutes, 0.1 to {_MOST_MINUTES:,}, and perhaps of "
            f"speakers, 1 to {_MOST_SPEAKERS:,}: embedded:30:6."
        )
    if not formants.LOWEST_RATE <= sample_rate <= formants.HIGHEST_RATE:
        raise ValueError(
            f"--sample_rate={sample_rate}: the embedded speech is made at {formants.LOWEST_RATE:,} to "
            f"{formants.HIGHEST_RATE:,} Hz."
        )
    clips = []
    for number, said in enumerate(
        formants.utterances(minutes, seed=seed, num_speakers=num_speakers, sample_rate=sample_rate)
    ):
        ends = said.ends / sample_rate
        segments = alignments.Segments(np.append(0.0, ends[:-1]), ends, said.units)
        header = files.Header(len(said.waveform), sample_rate, 1)
        clips.append(Clip(f"utterance {number}", header, said.speaker.name, segments, sample_rate, said.waveform))
    return Found(clips, [], [], [])


def _folder(rest, *, names="", **how):
    folder = _path("folder", rest)
    pattern = _pattern(names, rest) if names else None

    def clip(path):
        where = path.relative_to(folder)
        named = {}
        if pattern:
            found = pattern.fullmatch(where.with_suffix("").as_posix())
            if not found:
                raise ValueError(f"{printable(path)} is not named as --names={names} says.")
            named = found.groupdict()
        header = files.header(path)
        speaker = named.get("speaker") or (where.parts[0] if len(where.parts) > 1 and not names else "speaker")
        return header, printable(speaker), _units(path, header, named.get("unit"))

    return _found(rest, "folder", folder, clip, **how)


def _fsdd(rest, **how):
    folder = _path("fsdd", rest)
    return _folder(str(folder), **{**how, "names": _FSDD})


def _vctk(rest, **how):
    folder = _path("vctk", rest)
    inside = [folder] if folder.name.startswith("wav48") else sorted(folder.glob("wav48*/"))
    if len(inside) != 1:
        there = ", ".join(path.name for path in inside) or "none"
        raise ValueError(f"--data=vctk:{rest}: expected one folder wav48*, of a folder for each speaker; got {there}.")

    def clip(path):
        where = path.relative_to(inside[0])
        if len(where.parts) != 2:
            raise ValueError(f"{printable(path)}: expected {inside[0].name}/SPEAKER/{path.name}.")
        return files.header(path), printable(where.parts[0]), None

    def other_microphone(path):
        first = path.with_name(path.name.replace("_mic2", "_mic1"))
        return "the same as its _mic1" if first != path and first.exists() else ""

    return _found(rest, "vctk", inside[0], clip, leave=other_microphone, **how)


def _emodb(rest, **how):
    folder = _path("emodb", rest)
    phones = folder / "lablaut"
    if not phones.is_dir():
        raise ValueError(f"--data=emodb:{rest}: expected a folder with lablaut/*.lablaut in it, and the recordings.")
    aligned = {path.name[:7]: path for path in sorted(phones.glob("*.lablaut"))}

    def clip(path):
        header, segments = files.header(path), alignments.read_lablaut(aligned[path.stem])
        within = alignments.within(segments, header.num_samples / header.sample_rate)
        if not within.units:
            _check_end(segments, header, aligned[path.stem], path)
        cut.append(len(within.units) < len(segments.units))
        return header, path.stem[:2], within

    def without_phones(path):
        if path.stem not in aligned:
            return "without phones in lablaut"
        try:
            return "" if alignments.read_lablaut(aligned[path.stem]) else "without phones in lablaut"
        except (ValueError, OSError):
            return ""  # told where it is read

    cut = []
    found = _found(rest, "emodb", folder, clip, leave=without_phones, **how)
    if any(cut):
        found.notes.append(f"{sum(cut)} of {len(cut)} recordings end before their phones do: the rest is left out")
    return found


READERS = {"embedded": _embedded, "folder": _folder, "fsdd": _fsdd, "vctk": _vctk, "emodb": _emodb}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        The reader's name; None where nothing tells.
    """
    if not path.is_dir():
        return None
    if (path / "lablaut").is_dir():
        return "emodb"
    return "vctk" if path.name.startswith("wav48") or any(path.glob("wav48*/")) else "folder"


def _path(reader, rest):
    if not rest:
        raise ValueError(f"--data={reader}: its folder is missing. Expected --data={reader}:FOLDER.")
    path = binary.expanded(rest)
    if not binary.exists(path):
        raise FileNotFoundError(f"--data={reader}:{rest[:200]}: no such folder.")
    if not path.is_dir():
        raise ValueError(f"--data={reader}:{rest} is no folder. Unpack what is packed, and name the folder.")
    return path


def _pattern(names, rest):
    """What --names says, as a regular expression for the end of a path without its suffix."""
    fields = re.findall(r"\{(\w*)\}", names)
    if len(set(fields)) != len(fields) or not {"speaker", "unit"} & set(fields):
        raise ValueError(
            f"--names={names}: expected a name such as {_FSDD} or {{speaker}}/{{unit}}/{{take}}, with {{speaker}}, "
            f"{{unit}} or both in it, each once, to read --data=folder:{rest}."
        )
    parts = re.split(r"(\{\w*\})", names)
    shaped = [f"(?P<{part[1:-1]}>[^/]+?)" if part[:1] == "{" else re.escape(part) for part in parts]
    return re.compile("(?:.*/)?" + "".join(shaped))


def _units(path, header, named):
    if named:
        return alignments.Segments(
            np.zeros(1), np.array([header.num_samples / header.sample_rate]), (printable(named),)
        )
    for suffix in (*_ALIGNED, *map(str.upper, _ALIGNED)):
        beside = path.with_suffix(suffix)
        if binary.exists(beside) or os.path.lexists(beside):
            segments = alignments.read_table(beside, header.sample_rate)
            if segments:
                _check_end(segments, header, beside, path)
            return segments
    return None


def _check_end(segments, header, aligned, path):
    seconds = header.num_samples / header.sample_rate
    alignments.check_end(segments, seconds, printable(aligned), printable(path.name))


def _found(
    rest: str,
    reader: str,
    folder: pathlib.Path,
    clip: Callable,
    *,
    sample_rate: int,
    skip_corrupt: bool,
    leave: Callable = lambda path: "",
    **_,
) -> Found:
    found = Found([], [], [], [])
    for path, told in _walk(folder):
        told = told or leave(path)
        if told:
            found.left_out.append(f"{printable(path)} ({told})")
            continue
        try:
            header, speaker, segments = clip(path)
            found.clips.append(Clip(str(path), header, speaker, segments, sample_rate))
        except (ValueError, OSError) as error:
            if not skip_corrupt:
                kind = next(kind for kind in (FileNotFoundError, OSError, ValueError) if isinstance(error, kind))
                raise kind(f"{error} Mend or remove it, or leave out such files with --skip_corrupt.") from error
            found.skipped.append(str(error))
    if not found.clips:
        why = [*found.skipped, *found.left_out][:1]
        raise ValueError(
            f"--data={reader}:{rest} holds no recording that can be read ({', '.join(SUFFIXES)}).{' '.join(['', *why])}"
        )
    bare = [clip for clip in found.clips if clip.segments is None]
    if 0 < len(bare) < len(found.clips):
        beside = printable(pathlib.Path(bare[0].path).with_suffix(".txt"))
        told = (
            f"{beside} is missing, or has no lines of start, end and unit, as {len(found.clips) - len(bare)} of "
            f"{len(found.clips)} recordings have beside them ({', '.join(_ALIGNED)})."
        )
        if not skip_corrupt:
            raise ValueError(f"{told} Give it such a file, or leave out such recordings with --skip_corrupt.")
        found.skipped.extend([told, *(clip.path for clip in bare[1:])])
        found.clips[:] = [clip for clip in found.clips if clip.segments is not None]
    return found


def _walk(folder) -> Iterator[tuple[pathlib.Path, str]]:
    """Recordings below a folder in order, and other things with why they are none; what is hidden is not told."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = pathlib.Path(here)
        for name in folders:
            if (here / name).is_symlink():
                yield here / name, "a link to a folder"
        for name in sorted(names):
            path = here / name
            if name.lower().endswith(SUFFIXES):
                yield path, ""
            elif not name.startswith(".") and not name.lower().endswith((*_ALIGNED, ".lablaut", ".silb")):
                yield path, "no recording"
