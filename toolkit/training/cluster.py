"""Who takes part in a training of several workers, as the environment's TF_CONFIG says it."""

import json
import os

from toolkit.data import service
from toolkit.settings.fields import quoted


def task() -> tuple[str, int, tuple[str, int]]:
    """Reads from the environment's TF_CONFIG who takes part in a training of several workers.

    Returns:
        This process' task, its index, and which task is the chief.

    Raises:
        ValueError: Where TF_CONFIG does not say so.
    """
    example = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        cluster, kind, index = config["cluster"], config["task"]["type"], config["task"]["index"]
        whole = index if isinstance(index, int) and not isinstance(index, bool) else int(index, 10)
        if kind not in cluster or not cluster.keys() <= {"chief", "worker"} or len(cluster.get("chief", "1")) != 1:
            raise ValueError("its tasks are workers and at most one chief")
        addresses = [address for each in cluster.values() for address in each]
        for address in addresses:
            service.check_address(address, "an address in it")
        if len(set(addresses)) < len(addresses):
            raise ValueError("an address is there twice")
        if not 0 <= whole < len(cluster[kind]):
            raise ValueError(f"there is no {kind} {quoted(whole)}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = {json.JSONDecodeError: "no JSON", KeyError: f"without {error}"}.get(type(error), str(error))
        raise ValueError(
            f"--strategy=multi_worker reads from the environment who takes part: TF_CONFIG='{example}', the index "
            f"another in each process. It is {quoted(text) if len(text) > 300 else repr(text)}: {why}."
        ) from error
    return kind, whole, ("chief", 0) if "chief" in cluster else ("worker", 0)
