"""What benchmarks are made of: processes of their own, times, and rows of a table with the other side beside ours."""

import concurrent.futures
import importlib.metadata
import multiprocessing
import os
import pathlib
import platform
import resource
import statistics
import time


def timed(function, repeats, warm_up=2):
    """Seconds of each call."""
    seconds = []
    for _ in range(warm_up + repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]


def timed_twice(function, repeats, warm_up=2):
    """What the function gave each time, and the medians of wall and processor seconds."""
    results, seconds = [], []
    for _ in range(warm_up + repeats):
        wall, processor = time.perf_counter(), time.process_time()
        results.append(function())
        seconds.append((time.perf_counter() - wall, time.process_time() - processor))
    return results, [statistics.median(each) for each in zip(*seconds[warm_up:], strict=True)]


def peak_megabytes():
    """The most memory that the process has had until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_memory(ours, theirs=None):
    """Rows of (peak, what the process had before its first step): imports and weights, and what the steps took."""
    sides = [ours] if theirs is None else [ours, theirs]
    for what, of in (("  peak memory, MB", lambda side: side[0]), ("  of that the steps' own", lambda s: s[0] - s[1])):
        shown = [f"{of(side):.0f}" for side in sides]
        print_row(what, *shown, *([f"{of(ours) / of(theirs):.2f}", "<= 1.3"] if theirs else []))


def apart(function, *inputs):
    """The function's result, from a fresh process; says so where other programs took the cores meanwhile.

    This process must stay small: a child's peak memory counts from its.
    """
    start, all_before, own_before = time.perf_counter(), _busy_seconds(), _own_seconds()
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn, initializer=_quiet) as pool:
        result = pool.submit(function, *inputs).result()
    others = _busy_seconds() - all_before - (_own_seconds() - own_before)
    share = others / ((time.perf_counter() - start) * os.cpu_count())
    if share > 0.05:
        print(f"  disturbed: other programs took {share:.0%} of the cores during {function.__name__}; measure again")
    return result


def _busy_seconds():
    """Seconds that all cores together have worked since the machine started."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    """Seconds that this process and its ended children have worked."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _quiet():
    # TensorFlow's C++ announces itself; results and exceptions come back to the parent another way.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().split("\n")
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")] or [platform.machine()]
    versions = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "ai-edge-litert", "torch"))
    load = f"load before {os.getloadavg()[0]:.2f}"
    return f"{os.cpu_count()} cores of {names[0]}; Python {platform.python_version()}, {versions}; {load}"


def print_row(what, ours, theirs="", ratio="", target=""):
    print(f"{what:<54}{ours:>26}{theirs:>26}{ratio:>8}  {target}".rstrip(), flush=True)


def milliseconds(seconds):
    low, median, high = (1e3 * quartile for quartile in statistics.quantiles(seconds, n=4))
    return f"{median:.4g} [{low:.4g} - {high:.4g}]"


def print_times(what, ours, theirs=None, target=""):
    if theirs is None:
        return print_row(what, milliseconds(ours))
    ratio = statistics.median(ours) / statistics.median(theirs)
    return print_row(what, milliseconds(ours), milliseconds(theirs), f"{ratio:.2f}", target)
