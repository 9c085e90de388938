"""A memory of millions of slots: the nearest keys looked for in parts of it only, by faiss."""

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from toolkit.layers import memory_state

# Queries that are compared with all keys at once, for `recall`.
_BLOCK = 64


class ApproximateMemory:
    """Reads what a `layers.Memory` holds, comparing a query with the keys of a few lists instead of all.

    The keys are cut in lists by k-means, and a query is compared with those of the `num_probes` lists whose centres are
    nearest to it: faiss' inverted file. What it costs is measured by `recall`. How much that is depends on the keys:
    where queries are near to what was remembered little is lost; of random directions that have nothing to do with one
    another much is.

    Args:
        keys: float32 (slots, key_size), of length 1.
        values: int32 (slots,), -1 where a slot is empty.
        num_lists: How many lists; None: 2 sqrt(keys).
        num_probes: Lists that a query is compared with.
        num_neighbors: As in `layers.Memory`.
        margin: Likewise.
        seed: Of k-means.

    Attributes:
        num_lists: How many lists there are.
        num_probes: May be changed at any time.

    Raises:
        ValueError: Where faiss is not installed, no slot is used, or a number is out of range.

    Example, with `pip install faiss-cpu`::

        memory = model.get_layer("memory")
        approximate = ApproximateMemory(memory.keys, memory.values)
        approximate.recall(embedding.predict(images))            # what it costs
        approximate.recalled(embedding.predict(images))["value"]

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 2 (an approximate nearest neighbour search; theirs is
    locality-sensitive hashing); Johnson et al. 2017, arXiv 1702.08734.
    """

    def __init__(
        self,
        keys: ArrayLike,
        values: ArrayLike,
        *,
        num_lists: int | None = None,
        num_probes: int = 16,
        num_neighbors: int = 256,
        margin: float = 0.1,
        seed: int = 0,
    ) -> None:
        faiss = _faiss()
        self._keys, self._values = np.array(keys, "float32"), np.array(values, "int32")
        if self._keys.ndim != 2 or self._values.shape != self._keys.shape[:1]:
            raise ValueError(
                f"Expected keys (slots, key_size) and values (slots,); got shapes {self._keys.shape} and "
                f"{self._values.shape}."
            )
        used = np.flatnonzero(self._values >= 0)
        if not len(used):
            raise ValueError("The memory is empty: lists are made of the keys that it has.")
        self.num_lists = min(num_lists or max(1, round(2 * len(used) ** 0.5)), len(used))
        if min(self.num_lists, num_probes, num_neighbors) < 1 or not margin > 0:
            raise ValueError(
                "num_lists, num_probes and num_neighbors must be at least 1 and margin over 0; got "
                f"{num_lists}, {num_probes}, {num_neighbors} and {margin}."
            )
        self.num_probes, self.num_neighbors, self.margin = num_probes, num_neighbors, margin
        size = self._keys.shape[1]
        self._index = faiss.IndexIVFFlat(faiss.IndexFlatIP(size), size, self.num_lists, faiss.METRIC_INNER_PRODUCT)
        clustering = self._index.cp
        clustering.seed, clustering.niter = seed, 10
        clustering.min_points_per_centroid, clustering.max_points_per_centroid = 1, 64
        self._index.set_direct_map_type(faiss.DirectMap.Hashtable)  # so that single keys can be replaced
        self._index.train(self._keys[used])
        self._index.add_with_ids(self._keys[used], used)

    def nearest(self, queries: ArrayLike, num_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
        """Looks for the slots whose keys are nearest.

        Args:
            queries: (queries, key_size), of any length.
            num_neighbors: How many.

        Returns:
            Similarities, float32 (queries, num_neighbors), the greatest first; and slots, int64, -1 where the lists
            that were looked at hold no more.
        """
        queries = np.asarray(queries)
        memory_state.check_size(queries.shape, self._keys.shape[1])
        self._index.nprobe = min(self.num_probes, self.num_lists)
        return self._index.search(np.asarray(memory_state.unit(queries)), num_neighbors)

    def recalled(self, queries: ArrayLike) -> dict[str, np.ndarray]:
        """Reads what the memory has for each query, as `layers.memory_state.recalled` does.

        Args:
            queries: (queries, key_size), of any length.

        Returns:
            "value", int32 (queries,); "confidence", float32 (queries,); and "slot", int32 (queries,).
        """
        similarities, slots = self.nearest(queries, min(self.num_neighbors, len(self._values)))
        missing, values = slots < 0, np.append(self._values, np.int32(-1))
        similarities, slots = np.where(missing, np.float32(-2), similarities), np.where(missing, len(values) - 1, slots)
        found = memory_state.read(values, similarities, slots.astype("int32"), self.margin)
        return {name: np.asarray(each) for name, each in found.items()}

    def update(self, keys: ArrayLike, values: ArrayLike) -> int:
        """Takes over what the memory has learned since: of the keys that changed, each goes to its nearest list.

        The lists themselves stay where they are: after most of a memory was written anew, make another one.

        Args:
            keys: As at first.
            values: Likewise.

        Returns:
            How many slots had changed.
        """
        keys, values = np.asarray(keys, "float32"), np.asarray(values, "int32")
        if keys.shape != self._keys.shape or values.shape != self._values.shape:
            raise ValueError(
                f"Expected keys {self._keys.shape} and values {self._values.shape} as at first; got {keys.shape} and "
                f"{values.shape}."
            )
        moved = np.any(keys != self._keys, axis=1) | ((values < 0) != (self._values < 0))
        old, new = np.flatnonzero(moved & (self._values >= 0)), np.flatnonzero(moved & (values >= 0))
        changed = int(np.sum(moved | (values != self._values)))
        if len(old):
            self._index.remove_ids(_faiss().IDSelectorArray(old))
        if len(new):
            self._index.add_with_ids(keys[new], new)
        self._keys, self._values = keys.copy(), values.copy()
        return changed

    def recall(self, queries: ArrayLike, num_neighbors: int = 1) -> float:
        """Measures which share of the nearest slots is found, by comparing these queries with all keys.

        Args:
            queries: (queries, key_size), such as the memory will be asked.
            num_neighbors: Of how many nearest ones.

        Returns:
            From 0 to 1.
        """
        found, right = self.nearest(queries, num_neighbors)[1], 0
        for start in range(0, len(found), _BLOCK):
            block = memory_state.unit(np.asarray(queries)[start : start + _BLOCK])
            _, slots = memory_state.neighbors(self._keys, self._values, block, num_neighbors)
            rows = zip(found[start : start + _BLOCK], np.asarray(slots), strict=True)
            right += sum(len(np.intersect1d(*row)) for row in rows)
        return right / found.size


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ValueError(
            f"An approximate search needs faiss, which is not installed. Type: {sys.executable} -m pip install "
            "'faiss-cpu>=1.9'"
        ) from error
    return faiss
