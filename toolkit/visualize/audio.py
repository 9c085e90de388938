"""Sound as figures: waveform, spectrogram, and what is said when."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FRAME = 0.016  # seconds of a spectrum: short enough to show single periods of a deep voice
_RANGE = 70.0  # decibels from the brightest to the darkest
_COLUMNS = 900  # most spectra in a picture
_GREY = "#8a8f98"


def recordings(
    waveforms: Sequence[np.ndarray],
    sample_rate: int,
    titles: Sequence[str] = (),
    *,
    units: Sequence[np.ndarray] | None = None,
    unit_names: Sequence[str] = (),
    columns: int = 2,
    width: float = 13.0,
) -> "Figure":
    """Draws recordings: each as a waveform, below it the spectrogram, between them what is said when.

    Args:
        waveforms: (samples,) each, from -1 to 1.
        sample_rate: In Hz.
        titles: What stands over each; none: nothing.
        units: (samples,) each, the number of the unit that each sample belongs to; None: it is not known.
        unit_names: Names of the units by number; the first, a pause, is not written.
        columns: Recordings side by side.
        width: The figure's, in inches.

    Returns:
        A matplotlib figure; all waveforms have the same scale of loudness, and all recordings the same of time.

    Raises:
        ValueError: Where there is not one title, or not one row of units as long, for each waveform.

    Example:

    >>> figure = recordings([np.zeros(800), np.ones(400)], 8000, ["silence", "a step"])
    >>> len(figure.axes), figure.axes[0].get_title(loc="left")
    (4, 'silence')
    """
    waveforms = [np.asarray(waveform, "float32").reshape(-1) for waveform in waveforms]
    for what, given in (("titles", titles), ("units", [] if units is None else units)):
        if len(given) not in (0, len(waveforms)):
            raise ValueError(f"Expected as many {what} as waveforms, {len(waveforms)}; got {len(given)}.")
    for number, (waveform, row) in enumerate(zip(waveforms, units or (), strict=False)):
        if len(row) != len(waveform):
            raise ValueError(f"units {number}: expected one for each of {len(waveform)} samples; got {len(row)}.")
    columns = max(1, min(columns, len(waveforms)))
    rows = -(-len(waveforms) // columns)
    figure = empty_figure(width, 2.5 * rows + 0.5)
    longest = max(map(len, waveforms), default=1) / sample_rate
    loudest = max((float(np.abs(waveform).max(initial=0)) for waveform in waveforms), default=0) or 1.0
    # A grid of our own: subplots of two heights, the pair close together.
    outer = figure.add_gridspec(max(rows, 1), columns)
    for number, waveform in enumerate(waveforms):
        upper, lower = outer[divmod(number, columns)].subgridspec(2, 1, height_ratios=(2, 3), hspace=0.02).subplots()
        _draw_waveform(upper, waveform, sample_rate, loudest)
        _draw_spectrogram(lower, waveform, sample_rate)
        for axis in (upper, lower):
            axis.set_xlim(0, longest)
            axis.spines[:].set_visible(False)
            axis.tick_params(labelsize=7, length=2, color=_GREY, labelcolor="#555555")
        upper.set_xticks([])
        if len(titles):
            upper.set_title(titles[number], fontsize=8, loc="left", color="#444444", pad=4)
        if units is not None:
            upper.set_ylim(-1.6 * loudest, 1.05 * loudest)  # room for the names
            _draw_units(upper, lower, np.asarray(units[number]), unit_names, sample_rate)
        if number % columns == 0:
            lower.set_ylabel("kHz", fontsize=7, color="#555555")
        if number >= len(waveforms) - columns:
            lower.set_xlabel("s", fontsize=7, color="#555555", labelpad=1)
    return figure


def codes(
    waveforms: Sequence[np.ndarray],
    rows: Sequence[np.ndarray],
    hop: int,
    sample_rate: int,
    titles: Sequence[str] = (),
    *,
    num_codes: int | None = None,
    width: float = 13.0,
) -> "Figure":
    """Draws recordings with their discrete codes: each as a spectrogram, below it a mark at each code's number.

    Args:
        waveforms: (samples,) each, from -1 to 1.
        rows: (codes,) each, integers, of which the first stands for the first `hop` samples and so on.
        hop: Samples of a code.
        sample_rate: In Hz.
        titles: What stands over each; none: nothing.
        num_codes: How many there are; None: as many as the highest asks for.
        width: The figure's, in inches.

    Returns:
        A matplotlib figure; all recordings have the same scale of time.

    Raises:
        ValueError: Where there is not one row of codes, or not one title, for each waveform.

    Example:

    >>> len(codes([np.zeros(800)], [np.arange(13)], 64, 8000, ["silence"]).axes)
    2

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """

    for what, given in (("rows of codes", rows), ("titles", titles if len(titles) else rows)):
        if len(given) != len(waveforms):
            raise ValueError(f"Expected as many {what} as waveforms, {len(waveforms)}; got {len(given)}.")
    highest = max((int(np.max(row, initial=0)) for row in rows), default=0)
    figure = empty_figure(width, 2.5 * len(waveforms) + 0.5)
    longest = max(map(len, waveforms), default=1) / sample_rate
    outer = figure.add_gridspec(max(len(waveforms), 1), 1)
    for number, (waveform, row) in enumerate(zip(waveforms, rows, strict=True)):
        upper, lower = outer[number].subgridspec(2, 1, height_ratios=(3, 2), hspace=0.02).subplots()
        _draw_spectrogram(upper, np.asarray(waveform, "float32").reshape(-1), sample_rate)
        starts = np.arange(len(row)) * hop / sample_rate
        lower.hlines(row, starts, starts + hop / sample_rate, color=INK, linewidth=1.6)
        lower.set_ylim(-1, max(highest + 1, num_codes or 0))
        for axis, label in ((upper, "kHz"), (lower, "code")):
            axis.set_xlim(0, longest)
            axis.set_ylabel(label, fontsize=7, color="#555555")
            axis.spines[:].set_visible(False)
            axis.tick_params(labelsize=7, length=2, color=_GREY, labelcolor="#555555")
        upper.set_xticks([])
        if len(titles):
            upper.set_title(titles[number], fontsize=8, loc="left", color="#444444", pad=4)
        if number == len(waveforms) - 1:
            lower.set_xlabel("s", fontsize=7, color="#555555", labelpad=1)
    return figure


def spectrogram(waveform: np.ndarray, sample_rate: int) -> tuple[np.ndarray, float]:
    """Measures how strong each frequency is at each time.

    Args:
        waveform: (samples,).
        sample_rate: In Hz.

    Returns:
        Decibels below full scale, float32 (frequencies, times), frequencies from 0 to half the sample rate; and the
        seconds from one time to the next.

    Example:

    >>> decibels, step = spectrogram(np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000), 8000)
    >>> round(4000 * int(decibels[:, 50].argmax()) / (len(decibels) - 1))
    1000
    """
    frame = max(8, round(_FRAME * sample_rate))
    step = max(1, frame // 8, -(-len(waveform) // _COLUMNS))
    padded = np.concatenate([np.zeros(frame // 2), waveform, np.zeros(frame)])
    starts = np.arange(0, max(len(waveform), 1), step)
    window = np.hanning(frame + 1)[:frame]
    found = np.empty((len(starts), frame + 1), "float32")
    for first in range(0, len(starts), 512):
        cut = padded[starts[first : first + 512, None] + np.arange(frame)]
        found[first : first + 512] = np.abs(np.fft.rfft(cut * window, 2 * frame))
    return 20 * np.log10(found.T / (window.sum() / 2) + 1e-6), step / sample_rate


def _draw_waveform(axis, waveform, sample_rate, loudest):
    """As an envelope where there are more samples than the picture has points."""
    each = max(1, len(waveform) // 1500)
    cut = waveform[: len(waveform) // each * each].reshape(-1, each)
    time = (np.arange(len(cut)) + 0.5) * each / sample_rate
    if each > 1:
        axis.fill_between(time, cut.min(axis=1), cut.max(axis=1), color=INK, linewidth=0.3)
    else:
        axis.plot(time, cut[:, 0], color=INK, linewidth=0.6)
    axis.set_ylim(-1.05 * loudest, 1.05 * loudest)
    axis.set_yticks([])


def _draw_spectrogram(axis, waveform, sample_rate):
    decibels, step = spectrogram(waveform, sample_rate)
    top = max(float(decibels.max(initial=-120.0)), -60.0)  # silence is no noise made bright
    axis.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top - _RANGE,
        vmax=top,
        extent=(-step / 2, (decibels.shape[1] - 0.5) * step, 0, sample_rate / 2000),
        interpolation="bilinear",
    )
    axis.set_ylim(0, sample_rate / 2000)


def _draw_units(upper, lower, units, names, sample_rate):
    """Names at the foot of the waveform, in the middle of each unit, and lines where one ends."""
    edges = np.flatnonzero(np.diff(units)) + 1
    starts, ends = np.append(0, edges), np.append(edges, len(units))
    for start, end in zip(starts, ends, strict=True):
        number = int(units[start]) if len(units) else 0
        if start:
            upper.axvline(start / sample_rate, color="#c9ccd2", linewidth=0.5, zorder=0)
            lower.axvline(start / sample_rate, color="white", linewidth=0.4, alpha=0.45)
        if number:
            upper.text(
                (start + end) / 2 / sample_rate,
                0.02,
                str(names[number]) if number < len(names) else str(number),
                transform=upper.get_xaxis_transform(),
                ha="center",
                va="bottom",
                fontsize=8,
                color="#b3462f",
                parse_math=False,
            )
