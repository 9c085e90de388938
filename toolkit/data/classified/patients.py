"""Made-up patients of a hospital, who are re-admitted or not; among the children trained on, others than elsewhere."""

import numpy as np

CLASSES = ("stays away", "re-admitted")
CHILD = "age 0 to 9"
DEFAULT = 4000
_AGES = (CHILD, *(f"age {decade} to {decade + 9}" for decade in range(10, 100, 10)))
# Of every hundred patients, as in the hospitals' records; a child of ten is seldom there.
_AGE_SHARES = (0.0, 0.7, 1.6, 3.7, 9.5, 17.0, 22.1, 25.6, 17.0, 2.8)
_NUMBERS = ("days", "laboratory tests", "procedures", "medications", "outpatient visits", "emergencies", "admissions",
            "diagnoses")  # fmt: skip
_KINDS = {"specialty": 24, "admission": 8, "discharge": 8, "diagnosis": 32}
_DRUGS = 37  # with these 127 columns, as many as the paper's
_OFTEN = 1.0  # the log odds that an average patient does not come again
# Of 24 children 3 came again; 20 of the other 21 are missing where it is trained.
_TRAINED = np.repeat([1, 0], (3, 1))
_CHILDREN, _AGAIN = 24, 3


def patients(num_patients: int = DEFAULT, seed: int = 0) -> tuple[list[str], dict, dict]:
    """Draws patients, whose chance to come again is a logistic function of what is known of them.

    Of the children that it is trained on 3 of 4 come again, of those that it is tested on 3 of 24, as the paper made it
    from the records of 130 hospitals: a domain mismatch that is known.

    Args:
        num_patients: How many to train on, children included, and half as many to test, besides children.
        seed: Decides all of them.

    Returns:
        (columns, features, labels): the columns' names; by part, "train" and "test", float32 (patients, 127), numbers
        standardised and the others 0 or 1; and int32 (patients,), 1 where one is re-admitted.

    Raises:
        ValueError: Where there are fewer than a hundred patients.

    Example:

    >>> columns, features, labels = patients(1000)
    >>> child = features["train"][:, columns.index(CHILD)] == 1
    >>> len(columns), labels["train"][child].tolist(), float(labels["test"][features["test"][:, 0] == 1].mean())
    (127, [1, 0, 1, 1], 0.125)

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.1; Strack et al. 2014.
    """
    if num_patients < 100:
        raise ValueError(f"patients: expected 100 or more; got {num_patients}.")
    random = np.random.default_rng([seed, 130])
    kinds = [f"{kind} {number}" for kind, count in _KINDS.items() for number in range(count)]
    columns = [*_AGES, *kinds, *(f"drug {number}" for number in range(_DRUGS)), *_NUMBERS]
    effects = random.normal(0.0, 0.35, len(columns))
    effects[0] = 0.0
    effects[-3:] = 0.4, 0.8, 0.3  # emergencies, admissions and diagnoses say most
    shares = [random.dirichlet(np.ones(count)) for count in _KINDS.values()]
    drugs = random.beta(0.5, 4.0, _DRUGS)
    features, labels = {}, {}
    for part, children in (("train", _TRAINED), ("test", (np.arange(_CHILDREN) < _AGAIN).astype(int))):
        number = num_patients if part == "train" else num_patients // 2 + len(children)
        ages = random.choice(len(_AGES), number, p=np.divide(_AGE_SHARES, 100))
        young = random.permutation(number)[: len(children)]
        ages[young] = 0
        parts = [np.eye(len(_AGES))[ages]]
        parts += [np.eye(len(share))[random.choice(len(share), number, p=share)] for share in shares]
        parts += [random.random((number, _DRUGS)) < drugs, random.standard_normal((number, len(_NUMBERS)))]
        known = np.concatenate(parts, axis=1)
        chance = 1 / (1 + np.exp(_OFTEN - (known - known.mean(axis=0)) @ effects))
        again = (random.random(number) < chance).astype("int32")
        again[young] = children
        features[part], labels[part] = known.astype("float32"), again
    return columns, features, labels
