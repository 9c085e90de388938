"""An InkML file: its traces by the groups they stand in, in the formats they refer to, with what is written."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import numpy as np

from toolkit.data.strokes import inkml_traces
from toolkit.data.strokes.lines import MOST_POINTS, from_strokes
from toolkit.files import xml_elements

# What annotations are called that say what is written, or who wrote it: in lower case, nothing but letters. The
# standard leaves the names open: these are CROHME's and MathWriting's, IAMonDo's, VNOnDB's, ImadocSen's and plain ones.
_TRANSCRIPTS = {"truth", "groundtruth", "tgtruth", "transcription", "transcript", "label", "text"}
_WRITERS = {"writer", "writerid", "writername", "author"}
_GROUPS = ("ink", "traceGroup", "traceView", "definitions")
# What a context or source may take its channels from, the nearest first.
_REFERENCES = ("traceFormatRef", "inkSourceRef", "contextRef")
# Elements that are kept of a file, and how deep they may lie; references from one to the next.
_MOST_ELEMENTS, _DEEPEST, _FARTHEST_REFERENCE = 100_000, 1000, 100


@dataclasses.dataclass(frozen=True)
class Ink:
    """What a file holds.

    Args:
        pieces: Of each group with a transcript its line in the file, what is written, and the pen's offsets (points,
            3). Of a file without any transcript: all of it, written "".
        writer: Who wrote it; "" where the file does not say.
        num_others: Traces that are in no such group.
    """

    pieces: list[tuple[int, str, np.ndarray]]
    writer: str
    num_others: int


def read_document(path: pathlib.Path, *, whole: bool = False) -> Ink:
    """Reads an InkML file.

    Args:
        path: The file.
        whole: Of groups with a transcript that stand in each other, whether to take the outermost, such as sentences
            and formulas, or the innermost, such as words and symbols.

    Returns:
        `Ink`.

    Raises:
        ValueError: Where the file is damaged, over 64 MB, of more than a million points, or refers to what is not
            there; it and the line are named.
        FileNotFoundError: Where nothing is there.
        OSError: Where the system refuses.
    """
    document = _Document()
    xml_elements.parse(path, "InkML", start=document.start, end=document.end, text=document.text)
    try:
        return document.ink(whole)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None


class _Trace:
    def __init__(self, number, name, line, attributes, context):
        self.number, self.name, self.line, self.context = number, name, line, context
        self.content = []
        self.is_down = attributes.get("type") != "penUp"
        continued = attributes.get("continuation") in ("middle", "end")
        self.prior = _local(attributes.get("priorRef", "")) if continued else None


class _Group:
    def __init__(self, line, parent, context):
        self.line, self.parent, self.context = line, parent, context
        self.members = []  # traces, groups, and names of either
        self.words = ""


class _Document:
    """What is known of a file, element by element."""

    def __init__(self):
        self._names = []  # of the open elements
        self._groups, self._open = [], []  # those that are drawn, parents first; those that are open
        self._by_name = {}  # traces and groups
        self._num_kept = self._num_commas = self._num_definitions = 0
        self._writer = ""
        self._characters = None  # of an annotation that is listened to
        # By name, a format's channels, and what contexts and sources refer to; of these the open ones; the current one.
        self._formats, self._holders, self._context = {}, [], ""

    def start(self, name, attributes, line):
        name, inside = name.rpartition(":")[2], self._names[-1] if self._names else ""
        if not inside and name != "ink":
            raise ValueError(f"expected InkML, whose first element is ink; got {name[:40]!r}.")
        self._names.append(name)
        self._num_kept += name in ("trace", "context", "inkSource", "traceFormat", "channel", *_GROUPS)
        if self._num_kept > _MOST_ELEMENTS or len(self._names) > _DEEPEST:
            raise ValueError(f"expected at most {_MOST_ELEMENTS:,} traces and groups, at most {_DEEPEST} deep.")
        own = attributes.get("xml:id", attributes.get("id", f"{name} number {self._num_kept}"))
        if name in _GROUPS:
            self._group(name, own, attributes, line)
        elif name == "trace":
            context = _local(attributes.get("contextRef", "")) or self._open[-1].context or self._context
            self._trace = _Trace(self._num_kept, own, line, attributes, context)
            self._by_name[own] = self._trace
            self._open[-1].members.append(self._trace)
        elif name in ("context", "inkSource"):
            found = self._formats[own] = {key: _local(attributes.get(key, "")) for key in _REFERENCES}
            self._holders.append((own, found))
            if name == "context" and not self._num_definitions:
                self._context = own
        elif name == "traceFormat":
            self._channels = self._formats[own] = []
            if self._holders:
                self._holders[-1][1]["traceFormatRef"] = own
            elif not self._num_definitions:
                self._context = own
        elif name == "channel" and "traceFormat" in self._names:
            self._channels.append(inkml_traces.channel(attributes, inside == "intermittentChannels"))
        elif name == "annotation" or inside == "annotationXML":
            self._kind = re.sub("[^a-z]", "", (attributes.get("type", "") if name == "annotation" else name).lower())
            if self._kind in _TRANSCRIPTS | _WRITERS:
                self._characters, self._listened = [], len(self._names)

    def text(self, characters):
        if self._characters is not None:
            self._characters.append(characters)
        elif self._names[-1] == "trace":
            self._trace.content.append(characters)
            self._num_commas += characters.count(",")
            if self._num_commas >= MOST_POINTS:
                raise ValueError(f"expected at most {MOST_POINTS:,} points in a file.")

    def end(self, name):
        name = name.rpartition(":")[2]
        if self._characters is not None and len(self._names) == self._listened:
            words, self._characters = " ".join("".join(self._characters).split()), None
            if self._kind in _WRITERS:
                self._writer = self._writer or words
            else:
                self._open[-1].words = self._open[-1].words or words
        self._names.pop()
        if name in _GROUPS:
            self._open.pop()
            self._num_definitions -= name == "definitions"
        elif name in ("context", "inkSource"):
            ended, _ = self._holders.pop()
            if self._holders:
                self._holders[-1][1]["inkSourceRef"] = ended

    def ink(self, whole) -> Ink:
        root = self._groups[0]
        pieces, seen = [], set()
        for group in list(self._outermost() if whole else self._innermost()) or [root]:
            traces = self._traces(group)
            seen.update(trace.number for trace in traces)
            strokes = self._strokes(traces)
            if not strokes:
                found = f"nothing is drawn for {group.words[:40]!r}" if group.words else "no trace is in it"
                raise ValueError(f"line {group.line}: {found}.")
            pieces.append((group.line, group.words, from_strokes(strokes)))
        others = {trace.number for trace in self._traces(root)} - seen
        return Ink(pieces, self._writer, len(others))

    def _group(self, name, own, attributes, line):
        if "from" in attributes or "to" in attributes:
            raise ValueError("a traceView of a part of a trace (from, to) is not read.")
        self._num_definitions += name == "definitions"
        # What definitions hold is drawn only where something refers to it.
        parent = self._open[-1] if self._open and name != "definitions" else None
        context = _local(attributes.get("contextRef", "")) or (parent.context if parent else "")
        group = self._by_name[own] = _Group(line, parent, context)
        if parent:
            parent.members.append(group)
        if "traceDataRef" in attributes:
            group.members.append(_local(attributes["traceDataRef"]))
        if not self._num_definitions:
            self._groups.append(group)
        self._open.append(group)

    def _outermost(self) -> Iterator[_Group]:
        within = set()  # groups with words, and all that is in them
        for group in self._groups:
            if group.parent in within:
                within.add(group)
            elif group.words:
                within.add(group)
                yield group

    def _innermost(self) -> list[_Group]:
        around, found = set(), []  # groups in which others have words
        for group in reversed(self._groups):
            if group.words and group not in around:
                found.append(group)
            if group.words or group in around:
                around.add(group.parent)
        return found[::-1]

    def _traces(self, group) -> list[_Trace]:
        """Those in a group and in all that is in it, in the file's order."""
        found, seen, waiting = {}, set(), [group]
        while waiting:
            member = waiting.pop()
            if isinstance(member, str):
                if member not in self._by_name:
                    raise ValueError(f"line {group.line}: no trace or group is called {member[:40]!r}.")
                member = self._by_name[member]
            if isinstance(member, _Trace):
                found[member.number] = member
            elif member not in seen:
                seen.add(member)
                waiting += member.members
        return [found[number] for number in sorted(found)]

    def _strokes(self, traces) -> list[np.ndarray]:
        strokes, places = [], {}
        for trace in traces:
            if not trace.is_down:
                continue
            try:
                parts = inkml_traces.strokes("".join(trace.content), self._channels_of(trace.context))
                if trace.prior is not None and trace.prior not in places:
                    raise ValueError(f"it continues {trace.prior[:40]!r}, which is no trace before it in its group.")
            except ValueError as error:
                raise ValueError(f"line {trace.line}: a trace: {error}") from None
            if trace.prior is not None and parts:
                place = places[trace.name] = places[trace.prior]
                strokes[place] = np.concatenate([strokes[place], parts.pop(0)])
            if parts:
                strokes += parts
                places[trace.name] = len(strokes) - 1
        return strokes

    def _channels_of(self, name):
        waiting, num_seen = [name] if name else [], 0
        while waiting:
            found, num_seen = self._formats.get(waiting.pop(0)), num_seen + 1
            if isinstance(found, list):
                return inkml_traces.checked(found)
            if found is None or num_seen > _FARTHEST_REFERENCE:
                raise ValueError(f"its context {name[:40]!r} leads to none, or in a circle.")
            waiting = [each for each in found.values() if each] + waiting
        return inkml_traces.POSITIONS


def _local(reference):
    """The name that a reference within the file gives: "#name"; some files leave the # out."""
    where, mark, name = reference.partition("#")
    if mark and where:
        raise ValueError(f"a reference to another file, {reference[:60]!r}, is not followed.")
    return name if mark else where
