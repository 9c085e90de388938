"""What a training would find in speech: lengths, speakers, units, loudness, what is left out, what looks wrong."""

import collections
import dataclasses
import hashlib

import numpy as np

from toolkit.data.audio.speech import SPLITS, Example, Speech
from toolkit.data.report import Report
from toolkit.files.names import printable

_LISTED = 20  # speakers or units; of more, only those with the most and the least are told
_UNEVEN = 5.0  # the speaker with the most to the one with the least
_RARE = 1.0  # seconds of a unit that are few to learn from
_FULL = 0.999  # of full scale: what is cut off lies there
_CUT_OFF, _SILENT, _OFFSET, _QUIET, _COPIED = 0.002, 0.4, 0.02, -50.0, 0.01
_FRAME = 0.02  # seconds
_EXAMPLES = 6


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in speech.

    Args:
        report: Its numbers and verdict.
        seconds: By split, how long each recording is.
        unit_seconds: By unit, how long it is said in the training part; empty where units are not known.
        examples: Some training recordings; the numbers of their units are of whole ones.
        titles: What stands over each of these.
        sample_rate: In Hz.
        unit_names: Of each number of a unit.
    """

    report: Report
    seconds: dict[str, np.ndarray]
    unit_seconds: dict[str, float]
    examples: list[Example]
    titles: list[str]
    sample_rate: int
    unit_names: tuple[str, ...]


def examine(speech: Speech, *, batch_size: int, num_sampled: int = 400) -> Findings:
    """Says what a training would find in speech.

    Args:
        speech: What `load` returned.
        batch_size: Windows in a batch.
        num_sampled: Recordings of each split that are listened to, evenly spaced over it; lengths are those of all.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.audio.speech import load
    >>> found = examine(load("embedded:1:2", sample_rate=8000, window=4000, batch_size=4), batch_size=4)
    >>> found.report.refusal, found.report.sections["sound"]["cut_off_%"]["train"]
    ('', 0.0)
    """
    seconds = {s: np.array([clip.length for clip in speech.parts[s]]) / speech.sample_rate for s in SPLITS}
    heard = {split: _heard(speech, split, num_sampled) for split in SPLITS}
    known = set(heard["train"].digests)
    copied = {split: float(np.mean([each in known for each in heard[split].digests])) for split in SPLITS[1:]}
    spoken = {split: unit_seconds(speech, split) for split in SPLITS} if speech.has_units else {}
    sections = _sections(speech, batch_size, seconds, heard, copied)
    sections |= _tables(speech, spoken)
    refusal = ""
    if max(heard["train"].loudness) == -np.inf:
        refusal = "All training recordings are silent: look at the files that --data names."
    report = Report(
        sections,
        size=f"{seconds['train'].sum() / 60:.1f} minutes of {len(speech.speakers)} speakers to train on",
        changes=list(_advised(speech, seconds, heard, copied, spoken.get("train", {}))),
        refusal=refusal,
    )
    examples = [each._replace(units=each.units // speech.num_states) for each in speech.examples("train", _EXAMPLES)]
    titles = [f"{speech.speakers[each.speaker]}: {printable(each.path)}" for each in examples]
    return Findings(report, seconds, spoken.get("train", {}), examples, titles, speech.sample_rate, tuple(speech.units))


@dataclasses.dataclass(frozen=True)
class _Heard:
    loudness: list[float]
    cut_off: list[float]
    silent: list[float]
    offset: list[float]
    digests: list[bytes]


def _heard(speech, split, num_sampled):
    found, frame = _Heard([], [], [], [], []), round(_FRAME * speech.sample_rate)
    for each in speech.examples(split, num_sampled):
        waveform = each.waveform
        power = np.square(waveform[: len(waveform) // frame * frame or None]).reshape(-1, min(frame, len(waveform)))
        power = power.mean(axis=1)
        with np.errstate(divide="ignore"):
            found.loudness.append(float(10 * np.log10(np.square(waveform).mean())))
        found.cut_off.append(float(np.mean(np.abs(waveform) >= _FULL)))
        found.silent.append(float(np.mean(power <= 1e-4 * power.max())))  # 40 dB below the loudest
        found.offset.append(float(waveform.mean()))
        found.digests.append(hashlib.sha256(np.rint(waveform * 32767).astype("int16").tobytes()).digest())
    return found


def unit_seconds(speech: Speech, split: str) -> dict[str, float]:
    """Adds up how long each unit is said.

    Args:
        speech: What `load` returned.
        split: Of which part.

    Returns:
        Seconds by unit.
    """
    totals = np.zeros(len(speech.units))
    for clip in speech.parts[split]:
        np.add.at(totals, clip.numbers[:-1] // speech.num_states, np.diff(clip.edges, prepend=0))
    return dict(zip(speech.units, (totals / speech.sample_rate).tolist(), strict=True))


def _sections(speech, batch_size, seconds, heard, copied):
    headers = [clip.header for split in SPLITS for clip in speech.parts[split]]
    rates = collections.Counter(header.sample_rate for header in headers)
    channels = collections.Counter(header.num_channels for header in headers)
    window = speech.window / speech.sample_rate
    return {
        "recordings": {
            "number": {split: len(seconds[split]) for split in SPLITS},
            "minutes": {split: float(seconds[split].sum() / 60) for split in SPLITS},
            "seconds_of_the_shortest": {split: float(seconds[split].min()) for split in SPLITS},
            "seconds_of_the_middle_one": {split: float(np.median(seconds[split])) for split in SPLITS},
            "seconds_of_the_longest": {split: float(seconds[split].max()) for split in SPLITS},
            "shorter_than_a_window_%": {s: 100 * float(np.mean(seconds[s] < window)) for s in SPLITS},
            "copies_of_training_recordings_%": {split: 100 * share for split, share in copied.items()},
            "speakers": len(speech.speakers),
            "units": len(speech.units) - 1,
            "left_out_because_damaged": len(speech.skipped),
            "left_out_because_no_recording": len(speech.left_out),
        },
        "files": {
            "recordings_by_sample_rate": {f"{rate} Hz": count for rate, count in rates.most_common(5)},
            "recordings_by_channels": {str(number): count for number, count in channels.most_common(5)},
        },
        "sound": {
            "listened_to": {split: len(heard[split].loudness) for split in SPLITS},
            "loudness_dB": {split: float(np.median(heard[split].loudness)) for split in SPLITS},
            "silent_%": {split: 100 * float(np.mean(heard[split].silent)) for split in SPLITS},
            "cut_off_%": {split: 100 * float(np.mean(heard[split].cut_off)) for split in SPLITS},
            "offset_of_zero": {split: float(np.mean(heard[split].offset)) for split in SPLITS},
        },
        "batches": {
            "sample_rate": speech.sample_rate,
            "samples_in_a_window": speech.window,
            "samples_that_are_only_read": speech.context,
            "windows_in_a_batch": batch_size,
            "steps_in_an_epoch": speech.splits.train.steps_per_epoch,
        },
    }


def _tables(speech, spoken):
    minutes = {name: dict.fromkeys(SPLITS, 0.0) for name in speech.speakers}
    for split in SPLITS:
        for clip in speech.parts[split]:
            minutes[clip.speaker][split] += clip.length / speech.sample_rate / 60
    tables = {"minutes_of_each_speaker": minutes}
    if spoken:
        names = ("(pause)", *speech.units[1:])
        spoken = {split: dict(zip(names, row.values(), strict=True)) for split, row in spoken.items()}
        tables["seconds_of_each_unit"] = {name: {s: spoken[s][name] for s in SPLITS} for name in names}
    for title, table in tables.items():
        ranked = sorted(table, key=lambda name: -table[name]["train"])
        kept = set(ranked if len(ranked) <= 2 * _LISTED else (*ranked[:_LISTED], *ranked[-_LISTED:]))
        tables[title] = {name: row for name, row in table.items() if name in kept}
    return tables


def _advised(speech, seconds, heard, copied, spoken):
    if speech.skipped:
        yield printable(f"{len(speech.skipped)} files are left out, such as: {speech.skipped[0]} Mend or remove them.")
    if speech.left_out:
        yield printable(f"Files that are not read: {len(speech.left_out)}, such as {speech.left_out[0]}.")
    clips = speech.parts["train"]
    lower = sum(clip.header.sample_rate < speech.sample_rate for clip in clips)
    if lower:
        lowest = min(clip.header.sample_rate for clip in clips)
        yield (
            f"{lower} of {len(clips)} training recordings have fewer than {speech.sample_rate} samples a second: "
            f"nothing is in the upper part of what is learned. --sample_rate={lowest} has no such part."
        )
    window = speech.window / speech.sample_rate
    short = float(np.mean(seconds["train"] < window))
    if short > 0.5:
        yield (
            f"{100 * short:.0f} % of the training recordings are shorter than a window of {window:.2f} s, the rest of "
            f"which is empty: --window={int(np.median(seconds['train']) * speech.sample_rate)} would hold the middle "
            "one."
        )
    for split in SPLITS:
        mine = heard[split]
        if np.mean(mine.silent) > _SILENT:
            yield f"{100 * np.mean(mine.silent):.0f} % of the {split} sound is silence: --trim=0.03 cuts off its ends."
        if np.mean(mine.cut_off) > _CUT_OFF:
            yield (
                f"{100 * np.mean(mine.cut_off):.1f} % of the {split} samples are at full scale: what was louder is cut "
                "off, or floats go beyond -1 to 1. Record, or scale, at a lower level."
            )
        if abs(np.mean(mine.offset)) > _OFFSET:
            yield f"The {split} sound lies {np.mean(mine.offset):.3f} off zero: take that away from it."
        if np.median(mine.loudness) < _QUIET:
            yield (
                f"The {split} sound is quiet, {np.median(mine.loudness):.0f} dB below full scale: of 256 levels few "
                "are used. Make all of it louder."
            )
    for split, share in copied.items():
        if share > _COPIED:
            yield f"{100 * share:.0f} % of the {split} recordings are training ones too: its figures say too much."
    totals = collections.Counter()
    for clip in clips:
        totals[clip.speaker] += clip.length
    if max(totals.values()) > _UNEVEN * min(totals.values()):
        most, least = max(totals, key=totals.get), min(totals, key=totals.get)
        yield (
            f"{most} speaks {totals[most] / totals[least]:.0f} times as long as {least} in the training part: little "
            "is learned of the latter. Add recordings, or leave out the speaker."
        )
    rare = [unit for unit, total in spoken.items() if total < _RARE and unit != speech.units[0]]
    if rare:
        yield (
            f"Said for less than {_RARE:g} s in the training part: {', '.join(rare[:10])}{', ...' * (len(rare) > 10)}. "
            "They will hardly be learned."
        )
