"""What a training would find in videos: counts, lengths, pixels, motion, copies, what looks wrong."""

import dataclasses
import hashlib

import numpy as np

from toolkit.data.report import Report
from toolkit.data.videos.loading import SPLITS, Videos

_MANY = 0.01  # share of a part's videos that makes its figures doubtful
_EXAMPLES = 6


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in videos.

    Args:
        report: Its numbers and verdict.
        examples: Some whole training videos, uint8 (frames, height, width, channels) each.
        titles: Their names.
        lengths: By split, int (videos,), frames of each video.
    """

    report: Report
    examples: list[np.ndarray]
    titles: list[str]
    lengths: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Looked:
    """Of the videos of a part that were looked at: sums over their values, and a figure of each."""

    digests: list[bytes]
    motion: np.ndarray  # mean absolute difference of frames that follow one another
    means: np.ndarray
    squares: np.ndarray


def examine(videos: Videos, *, batch_size: int, num_sampled: int = 1000) -> Findings:
    """Says what a training would find in videos.

    Args:
        videos: What `loading.load` returned.
        batch_size: Windows in a batch.
        num_sampled: Videos of each split that are looked at, evenly spaced over it.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.videos.loading import load
    >>> found = examine(load("embedded:sprites:50", num_frames=16, batch_size=8), batch_size=8)
    >>> found.report.sections["videos"]["videos"], found.report.refusal
    ({'train': 40, 'validation': 5, 'test': 5}, '')
    """
    parts = videos.parts
    chosen = {split: _spread(len(parts[split]), num_sampled) for split in SPLITS}
    looked = {split: _looked_at(parts[split], chosen[split]) for split in SPLITS}
    seen = set(looked["train"].digests)
    copies = {s: float(np.mean([digest in seen for digest in looked[s].digests])) for s in SPLITS[1:]}
    still = {s: float(np.mean(looked[s].motion == 0)) for s in SPLITS}
    mean = looked["train"].means.mean(axis=0)
    stddev = np.sqrt(np.maximum(looked["train"].squares.mean(axis=0) - mean**2, 0))
    channels = ("red", "green", "blue") if len(mean) == 3 else ("grey",)
    num_frames, height, width, _ = videos.shape
    sections = {
        "videos": {
            "videos": {s: len(parts[s]) for s in SPLITS},
            "frames": {s: int(parts[s].lengths.sum()) for s in SPLITS},
            "shortest_in_frames": {s: int(parts[s].lengths.min()) for s in SPLITS},
            "longest_in_frames": {s: int(parts[s].lengths.max()) for s in SPLITS},
            "windows": {s: getattr(videos.splits, s).num_examples for s in SPLITS},
            "looked_at": {s: len(chosen[s]) for s in SPLITS},
            "motion_0_to_255": {s: float(looked[s].motion.mean()) for s in SPLITS},
            "without_motion_%": {s: 100 * still[s] for s in SPLITS},
            "copies_of_training_videos_%": {s: 100 * share for s, share in copies.items()},
            "left_out_because_damaged_or_short": len(videos.skipped),
            "left_out_because_no_videos": len(videos.left_out),
        },
        "training_pixels_0_to_255": {
            "mean": dict(zip(channels, mean.tolist(), strict=True)),
            "stddev": dict(zip(channels, stddev.tolist(), strict=True)),
        },
        "batches": {
            "size": f"{num_frames} x {height} x {width} x {len(mean)}",
            "windows_in_a_batch": batch_size,
            "steps_in_an_epoch": videos.splits.train.steps_per_epoch,
        },
    }
    refusal = "" if stddev.any() else "All training pixels are the same: look at the files that --data names."
    size = f"{len(parts['train'])} videos, {sections['videos']['frames']['train']} frames, to train on"
    report = Report(sections, size=size, changes=list(_advised(videos, copies, still)), refusal=refusal)
    shown = _spread(len(parts["train"]), _EXAMPLES)
    titles = [parts["train"].clips[index].name for index in shown]
    return Findings(report, videos.examples("train", _EXAMPLES), titles, {s: parts[s].lengths for s in SPLITS})


def _spread(number, wanted):
    return np.linspace(0, number - 1, min(wanted, number)).round().astype(int).tolist()


def _looked_at(part, chosen):
    digests, motion, means, squares = [], [], [], []
    for index in chosen:
        frames = part.read(index)
        digests.append(hashlib.blake2b(np.ascontiguousarray(frames), digest_size=16).digest())
        # Differences of bytes would wrap round; of all frames at once they would take twice as much memory.
        pairs = [np.abs(a.astype("int16") - b).mean() for a, b in zip(frames[1:], frames, strict=False)]
        motion.append(np.mean(pairs) if pairs else 0.0)
        values = np.arange(256.0)
        counts = np.array([np.bincount(frames[..., k].reshape(-1), minlength=256) for k in range(frames.shape[-1])])
        means.append(counts @ values / counts[0].sum())
        squares.append(counts @ values**2 / counts[0].sum())
    return _Looked(digests, np.array(motion), np.array(means), np.array(squares))


def _advised(videos, copies, still):
    if videos.skipped:
        yield f"{len(videos.skipped)} videos are left out, such as: {videos.skipped[0]}. Mend or remove them."
    if videos.left_out:
        yield f"Files or folders that are not read: {len(videos.left_out)}, such as {videos.left_out[0]}."
    for split, share in copies.items():
        if share > _MANY:
            yield f"{100 * share:.0f} % of the {split} videos are training videos too: its figures are too good."
    for split, share in still.items():
        if share > _MANY and videos.shape[0] > 1:
            yield f"{100 * share:.0f} % of the {split} videos stand still: look at the files."
