"""What the control groups of this process grant it of the machine: in a container, less than there is."""

import math
import os
import pathlib
from collections.abc import Iterator


def control_files(controller: str, name: str, root: pathlib.Path = pathlib.Path("/")) -> Iterator[str]:
    """Reads a control group's file, for the group of this process and those above it.

    Args:
        controller: "cpu" or "memory".
        name: The file's name, of version 1 or 2.
        root: The folder that holds proc and sys.

    Yields:
        The contents, from the innermost group on.
    """
    lines = _read(root / "proc/self/cgroup").splitlines()
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and controller not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / (controller if controllers else "")
        # In a container the path may be the host's, and the mount the group itself.
        folder = mount / path.strip("/")
        for group in (folder, *folder.parents):
            if group.is_relative_to(mount) and (content := _read(group / name).strip()):
                yield content


def granted_memory(root: pathlib.Path = pathlib.Path("/")) -> float:
    """Tells the bytes of memory that the groups grant; infinity where they set no limit.

    Args:
        root: The folder that holds proc and sys.
    """
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [each for name in names for each in control_files("memory", name, root) if each.isdigit()]
    return min(map(int, limits), default=math.inf)


def num_cores(root: pathlib.Path = pathlib.Path("/")) -> float:
    """How many cores this process may use: those it is bound to, or the share that its control group grants.

    Args:
        root: The folder that holds proc and sys.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = [content.split() for content in control_files("cpu", "cpu.max", root)]
    quotas = control_files("cpu", "cpu.cfs_quota_us", root)
    shares += [list(pair) for pair in zip(quotas, control_files("cpu", "cpu.cfs_period_us", root), strict=False)]
    granted = [int(quota) / int(period) for quota, period in shares if quota.isdigit()]
    return min([bound, *granted])


def _read(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
