import math

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
