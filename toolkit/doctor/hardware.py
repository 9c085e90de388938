"""Processor, GPU, memory and disks, as far as this process may use them: a container's limits count."""

import os
import pathlib
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping

from toolkit.doctor.finding import MISSING, NOTE, OK, Finding
from toolkit.doctor.software import pip
from toolkit.files.granted import control_files, granted_memory, num_cores

GIB = 2**30
NUM_GIB_WANTED = 2  # the handwriting recipes' training in the paper's sizes takes 1.7
# Of /proc/cpuinfo: what matrix products use.
INSTRUCTIONS = ("avx", "avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")


def processor(root: pathlib.Path = pathlib.Path("/")) -> Finding:
    """Cores and the instructions that matter.

    Args:
        root: The folder that holds proc and sys.
    """
    cores, text = num_cores(root), _read(root / "proc/cpuinfo")
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:(.+)$", text, re.MULTILINE)
    has = [name for name in INSTRUCTIONS if flags and name in flags[1].split()]
    found = f"{cores:g} of {os.cpu_count()} cores, {model[1] if model else platform.machine()}; {' '.join(has)}"
    if flags and "avx" not in has:
        advice = "none: TensorFlow's wheels need AVX; take another machine"
        return Finding("processor", MISSING, f"{found}no AVX", advice)
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    if cores < bound:
        # TensorFlow starts a thread for each core it is bound to; more than are granted get in each other's way.
        threads = max(1, int(cores))
        advice = f"export TF_NUM_INTRAOP_THREADS={threads} TF_NUM_INTEROP_THREADS={threads}"
        return Finding("processor", NOTE, found, advice)
    return Finding("processor", OK, found)


def gpu(tensorflow: Mapping) -> Finding:
    """The GPU that TensorFlow sees, or why it sees none.

    Args:
        tensorflow: What `toolkit.doctor._probe` answers to "tensorflow"; {} or an "error" where there is no answer.
    """
    seen = tensorflow.get("gpus", [])
    if seen:
        return Finding("GPU", OK, "; ".join(map(_describe, seen)))
    driver = _driver()
    if not driver:
        return Finding("GPU", NOTE, "none; recipes run on the processor")
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden in {"", "-1"}:
        return Finding("GPU", NOTE, f"{driver}, hidden by CUDA_VISIBLE_DEVICES={hidden}", "unset CUDA_VISIBLE_DEVICES")
    version = tensorflow.get("version")
    advice = pip(f'"tensorflow[and-cuda]=={version}"' if version else '"tensorflow[and-cuda]"')
    return Finding("GPU", NOTE, f"{driver}, but TensorFlow does not see it: its CUDA libraries are missing", advice)


def _describe(seen):
    capability = tuple(seen["capability"])
    if not capability:
        return seen["name"]
    fast = "bfloat16 and float16" if capability >= (8, 0) else "float16" if capability >= (7, 0) else "only float32"
    return f"{seen['name']}, compute capability {'.'.join(map(str, capability))}: {fast} in hardware"


def _driver():
    """What NVIDIA's driver says it drives, or ""."""
    try:
        command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "NVIDIA's driver" if os.path.exists("/proc/driver/nvidia/version") else ""
    return "; ".join(told.stdout.strip().splitlines()) if told.returncode == 0 else ""


def precision(speed: Mapping, on_gpu: bool) -> Iterator[Finding]:
    """Which --precision and --jit_compile pay here.

    Args:
        speed: What `toolkit.doctor._probe` answers to "speed"; {} or an "error" where there is no answer.
        on_gpu: Whether it was measured on a GPU.

    Yields:
        What was found.
    """
    if "lstm_step" not in speed:
        yield Finding("precision", NOTE, f"not measured: {speed.get('error', 'TensorFlow does not work')}")
    else:
        gains = {
            name: (
                speed["lstm_step"]["float32"] / step,
                speed["matrix_product"]["float32"] / speed["matrix_product"][name],
            )
            for name, step in speed["lstm_step"].items()
            if name != "float32"
        }
        found = "; ".join(
            f"{name}: LSTM step {step:.2g} times as fast as in float32, matrix product {product:.2g} times"
            for name, (step, product) in gains.items()
        )
        best = max(gains, key=gains.get)
        pays = gains[best][0] > 1.1
        yield Finding("precision", NOTE if pays else OK, found, f"--precision={best}" if pays else "")
    found = "on with this GPU" if on_gpu else "off without a GPU, where it is slower"
    yield Finding("XLA", OK, f"{found}; --jit_compile=on|off for another choice")


def memory(root: pathlib.Path = pathlib.Path("/")) -> Iterator[Finding]:
    """Memory, and how much of it is free to this process.

    Args:
        root: The folder that holds proc and sys.

    Yields:
        What was found; nothing where the system does not tell.
    """
    meminfo = dict(re.findall(r"^(\w+):\s+(\d+) kB$", _read(root / "proc/meminfo"), re.MULTILINE))
    if not {"MemTotal", "MemAvailable"} <= meminfo.keys():
        return
    total, free = int(meminfo["MemTotal"]) * 1024, int(meminfo["MemAvailable"]) * 1024
    limit = min(total, granted_memory(root))
    used = [
        int(content)
        for name in ("memory.current", "memory.usage_in_bytes")
        for content in list(control_files("memory", name, root))[:1]
    ]
    if limit < total:
        free = min([free, *(limit - usage for usage in used)])
    found = f"{free / GIB:.1f} of {limit / GIB:.1f} GiB free"
    if limit < total:
        found += f" in this container, of the machine's {total / GIB:.1f}"
    if free < NUM_GIB_WANTED * GIB:
        yield Finding("memory", NOTE, found, "--batch_size=8 with the recipe, or end other programs")
    else:
        yield Finding("memory", OK, found)


def disks() -> Iterator[Finding]:
    """Room where runs and caches are written.

    Yields:
        What was found.
    """
    named = os.environ.get("TOOLKIT_CACHE")
    user = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path(os.path.expanduser("~"), ".cache"))
    yield _disk("disk, current folder", pathlib.Path.cwd(), "--workdir=FOLDER with the recipe, on another disk")
    cache = pathlib.Path(named) if named else user / "toolkit"
    yield _disk("disk, cache", cache, "export TOOLKIT_CACHE=FOLDER, on another disk")
    if os.path.isdir("/dev/shm"):
        yield _disk("shared memory", pathlib.Path("/dev/shm"), "--shm-size=1g with docker run", wanted=GIB // 4)


def _disk(name, folder, advice, wanted=GIB):
    folder = folder.absolute()
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not os.path.isdir(there):
        return Finding(name, NOTE, f"{there} is no folder", advice)
    free = shutil.disk_usage(there).free
    found = f"{free / GIB:.1f} GiB free in {folder}"
    if not os.access(there, os.W_OK):
        return Finding(name, NOTE, f"{folder} cannot be written", advice)
    return Finding(name, OK, found) if free >= wanted else Finding(name, NOTE, found, advice)


def _read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
