import numpy as np
import pytest

from toolkit.data.classified.patients import CHILD, patients


def test_children_are_others_where_it_is_trained():
    columns, features, labels = patients(500, seed=3)
    child = {part: features[part][:, columns.index(CHILD)] == 1 for part in features}
    assert sorted(labels["train"][child["train"]]) == [0, 1, 1, 1]
    assert child["test"].sum() == 24 and labels["test"][child["test"]].sum() == 3
    assert features["train"].shape == (500, 127) and features["test"].shape == (274, 127)
    for kind, count in {"age": 10, "specialty": 24, "admission": 8, "discharge": 8, "diagnosis": 32}.items():
        own = [number for number, column in enumerate(columns) if column.startswith(f"{kind} ")]
        assert len(own) == count
        np.testing.assert_array_equal(features["train"][:, own].sum(axis=1), 1)


def test_the_seed_decides_everything():
    (_, one, labels), (_, same, again), (_, other, _) = patients(200, 1), patients(200, 1), patients(200, 2)
    np.testing.assert_array_equal(one["test"], same["test"])
    np.testing.assert_array_equal(labels["train"], again["train"])
    assert (one["train"] != other["train"]).any()


def test_what_is_known_tells_who_comes_again():
    """By scikit-learn: far above chance, and not all."""
    from sklearn.linear_model import LogisticRegression

    _, features, labels = patients(2000)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(features["train"], labels["train"])
    always = 1 - labels["test"].mean()
    assert always + 0.02 < model.score(features["test"], labels["test"]) < 0.9
    assert 0.2 < labels["train"].mean() < 0.4


def test_too_few():
    with pytest.raises(ValueError, match="expected 100 or more; got 99"):
        patients(99)
