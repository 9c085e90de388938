"""Influence by pyDVL, in an environment of its own (pyDVL 0.10 wants NumPy below 2): what bench_influence.py starts.

python tests/benchmarks/influence_in_pytorch.py FOLDER    reads task.npz, writes scores.npy and prints what it took
"""

import json
import pathlib
import resource
import sys
import time

import numpy as np
import torch
from pydvl.influence.torch import CgInfluence, DirectInfluence
from torch.utils.data import DataLoader, TensorDataset


def network(kernels):
    """Dense layers with tanh between them, from [kernel, bias, kernel, bias ...]."""
    layers = []
    for kernel, bias in zip(kernels[::2], kernels[1::2], strict=True):
        layers += [torch.nn.Linear(*kernel.shape), torch.nn.Tanh()]
        layers[-2].weight.data = torch.tensor(kernel.T.copy())
        layers[-2].bias.data = torch.tensor(bias)
    return torch.nn.Sequential(*layers[:-1])


def main():
    folder = pathlib.Path(sys.argv[1])
    with np.load(folder / "task.npz") as file:
        task = {name: file[name] for name in file.files}
    model = network([task[f"weights_{index}"] for index in range(sum(name.startswith("weights") for name in task))])
    x, y, queries, answers = (torch.tensor(task[name]) for name in ("x", "y", "queries", "answers"))
    loader = DataLoader(TensorDataset(x, y), batch_size=int(task["batch_size"]))
    how = {"regularization": float(task["damping"])}
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def influence():
        if str(task["solver"]) == "exact":
            made = DirectInfluence(model, torch.nn.functional.cross_entropy, **how)
        else:
            how.update(rtol=float(task["tolerance"]), atol=0.0, solve_simultaneously=True)
            made = CgInfluence(model, torch.nn.functional.cross_entropy, **how)
        return made.fit(loader).influences(queries, answers, x, y)

    seconds = []
    for _ in range(int(task["repeats"]) + 1):
        begin = time.perf_counter()
        scores = influence()
        seconds.append(time.perf_counter() - begin)
    np.save(folder / "scores.npy", scores.detach().numpy() / len(x))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds[1:], "start_megabytes": start, "peak_megabytes": peak}))


if __name__ == "__main__":
    main()
