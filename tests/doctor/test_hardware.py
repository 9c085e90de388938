import types

import pytest

from toolkit.doctor import hardware
from toolkit.doctor.finding import MISSING, NOTE, OK


def write(root, **files):
    for path, content in files.items():
        path = root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


CPUINFO = "processor : 0\nmodel name\t: Slow 486\nflags\t\t: {}\n"
FREE = {"proc/self/cgroup": "4:cpu,cpuacct:/\n9:memory:/\n"}
VERSION_1 = {
    "proc/self/cgroup": "4:memory:/docker/ab\n5:cpu,cpuacct:/docker/ab\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",  # in a container the mount is the group itself
    "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{4 * 2**30}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2**30}\n",
}
VERSION_2 = {
    "proc/self/cgroup": "0::/user/job\n",
    "sys/fs/cgroup/user/job/cpu.max": "max 100000\n",
    "sys/fs/cgroup/user/cpu.max": "50000 100000\n",  # a group above it is the tighter one
    "sys/fs/cgroup/user/job/memory.max": f"{4 * 2**30}\n",
    "sys/fs/cgroup/user/job/memory.current": f"{2**30}\n",
    "sys/fs/cgroup/user/memory.max": "max\n",
}


def test_processor(tmp_path):
    write(tmp_path, **{"proc/cpuinfo": CPUINFO.format("sse avx avx2 amx_bf16 avx512_bf16"), **FREE})
    finding = hardware.processor(tmp_path)
    assert finding.mark == OK and finding.found.endswith("Slow 486; avx avx2 avx512_bf16 amx_bf16")
    write(tmp_path, **VERSION_1)
    finding = hardware.processor(tmp_path)
    assert finding.mark == NOTE and finding.advice == "export TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1"
    write(tmp_path, **{"proc/cpuinfo": CPUINFO.format("sse")})
    assert hardware.processor(tmp_path).mark == MISSING


MEMINFO = "MemTotal:       {} kB\nMemFree:        1 kB\nMemAvailable:   {} kB\n"


@pytest.mark.parametrize("files", [VERSION_1, VERSION_2])
def test_memory(tmp_path, files):
    write(tmp_path, **FREE, **{"proc/meminfo": MEMINFO.format(16 * 2**20, 8 * 2**20)})
    (finding,) = hardware.memory(tmp_path)
    assert (finding.mark, finding.found) == (OK, "8.0 of 16.0 GiB free")
    write(tmp_path, **files)
    (finding,) = hardware.memory(tmp_path)
    assert (finding.mark, finding.found) == (OK, "3.0 of 4.0 GiB free in this container, of the machine's 16.0")
    write(tmp_path, **{"proc/meminfo": MEMINFO.format(16 * 2**20, 2**20)})
    (finding,) = hardware.memory(tmp_path)
    assert finding.mark == NOTE and finding.found.startswith("1.0 of 4.0 GiB") and "--batch_size" in finding.advice


def test_memory_where_the_system_does_not_tell(tmp_path):
    assert list(hardware.memory(tmp_path)) == []


@pytest.mark.parametrize(
    ("capability", "fast"), [([9, 0], "bfloat16 and float16"), ([7, 5], "7.5: float16"), ([6, 1], "only float32")]
)
def test_gpu_that_tensorflow_sees(capability, fast):
    finding = hardware.gpu({"gpus": [{"name": "NVIDIA H200", "capability": capability}]})
    assert finding.mark == OK and finding.found.startswith("NVIDIA H200") and fast in finding.found


def test_gpu_that_tensorflow_does_not_see(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H200, 580.95'\n")
    program.chmod(0o755)
    finding = hardware.gpu({"version": "2.21.0", "gpus": []})
    assert finding.mark == NOTE and "NVIDIA H200, 580.95" in finding.found
    assert finding.advice.endswith('pip install "tensorflow[and-cuda]==2.21.0"')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert hardware.gpu({"gpus": []}).advice == "unset CUDA_VISIBLE_DEVICES"
    program.write_text("#!/bin/sh\necho 'could not communicate with the driver'; exit 9\n")
    assert hardware.gpu({"gpus": []}).found.startswith("none")


def test_the_precision_that_pays_is_advised():
    fast = {"float32": 9.0, "mixed_bfloat16": 6.0, "mixed_float16": 3.0}
    finding, xla = hardware.precision({"lstm_step": fast, "matrix_product": fast}, on_gpu=True)
    assert finding.mark == NOTE and finding.advice == "--precision=mixed_float16"
    assert "mixed_bfloat16: LSTM step 1.5 times" in finding.found and xla.found.startswith("on ")
    slow = {"float32": 9.0, "mixed_bfloat16": 20.0}
    finding, xla = hardware.precision({"lstm_step": slow, "matrix_product": slow}, on_gpu=False)
    assert finding.mark == OK and finding.advice == "" and xla.found.startswith("off ")
    assert "0.45 times" in finding.found
    finding, _ = hardware.precision({"error": "ended by SIGKILL"}, on_gpu=False)
    assert finding.mark == NOTE and "SIGKILL" in finding.found


@pytest.mark.parametrize("cache", ["/dev/null", "/dev/null/x", "a" * 5000, "~nosuchuser", "\udce9", " "])
def test_a_cache_that_cannot_be(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLKIT_CACHE", cache)
    found = {finding.name: finding for finding in hardware.disks()}
    assert found["disk, cache"].mark == NOTE or "GiB free in" in found["disk, cache"].found
    assert found["disk, cache"].mark == NOTE or not cache.startswith("/dev/null")


def test_without_a_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "TOOLKIT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hardware.os.path, "expanduser", lambda path: path)  # a user whom the system does not know
    assert {finding.name for finding in hardware.disks()} >= {"disk, current folder", "disk, cache"}


def test_disks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "not" / "there" / "yet"))
    here, cache, *_ = hardware.disks()
    assert here.found.endswith(f"GiB free in {tmp_path}") and str(tmp_path / "not" / "there" / "yet") in cache.found
    assert not (tmp_path / "not").exists()
    monkeypatch.setattr(hardware.shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=2**20))
    assert [finding.mark for finding in hardware.disks()][:2] == [NOTE, NOTE]
