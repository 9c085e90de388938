import math
import os

import pytest

from toolkit.files import granted, limits


def machine(root, group, **files):
    """A root folder whose control groups hold these files, by path."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(group)
    for path, content in files.items():
        path = root / "sys/fs/cgroup" / path.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_the_smallest_limit_of_a_group_and_those_above_it(tmp_path):
    files = {"a__b__memory.max": "max\n", "a__memory.max": "3000\n", "memory.max": "5000\n"}
    root = machine(tmp_path, "0::/a/b\n", **files)
    assert list(granted.control_files("memory", "memory.max", root)) == ["max", "3000", "5000"]
    assert granted.granted_memory(root) == 3000


def test_groups_of_version_1(tmp_path):
    root = machine(tmp_path, "4:cpu:/x\n3:memory:/a\n", **{"memory__a__memory.limit_in_bytes": "7000\n"})
    assert granted.granted_memory(root) == 7000


@pytest.mark.parametrize("group", ["", "0::/a\n"])
def test_no_limit(tmp_path, group):
    assert granted.granted_memory(machine(tmp_path, group)) == math.inf
    assert limits.half_of_memory() > 0


def test_half_of_what_is_granted(monkeypatch):
    monkeypatch.setattr(limits, "granted_memory", lambda: 3 * limits.MIB)
    assert limits.half_of_memory() == 3 * limits.MIB // 2


BOUND = len(os.sched_getaffinity(0))
# In a container the mount is the group itself; a group above may be the tighter one.
VERSION_1 = {"cpu__cpu.cfs_quota_us": "50000\n", "cpu__cpu.cfs_period_us": "100000\n"}
VERSION_2 = {"user__job__cpu.max": "max 100000\n", "user__cpu.max": "50000 100000\n"}


@pytest.mark.parametrize(
    "group, files, cores",
    [
        ("4:cpu,cpuacct:/\n9:memory:/\n", {}, BOUND),
        ("4:memory:/docker/ab\n5:cpu,cpuacct:/docker/ab\n", VERSION_1, 0.5),
        ("0::/user/job\n", VERSION_2, 0.5),
    ],
)
def test_cores_that_the_control_group_grants(tmp_path, group, files, cores):
    assert granted.num_cores(machine(tmp_path, group, **files)) == cores


def test_this_machines_cores():
    assert 0 < granted.num_cores() <= BOUND
