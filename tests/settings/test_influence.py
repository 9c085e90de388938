import inspect

import pytest

from toolkit import methods
from toolkit.settings.influence import ExplainedNetwork, InfluenceFunctions, InfluenceQuestions


@pytest.mark.parametrize(
    ("how", "one_layer", "num_weights", "solver", "damping"),
    [
        ({}, True, 3000, "exact", 0.0),
        ({}, True, 3001, "cg", 0.0),
        ({}, False, 100, "cg", 0.01),
        ({"damping": 0.5, "solver": "lissa"}, False, 100, "lissa", 0.5),
        ({"damping": 0.0}, False, 100, "cg", 0.0),
    ],
)
def test_solving_is_what_influence_takes(how, one_layer, num_weights, solver, damping):
    found = InfluenceFunctions(workdir="x", **how).solving(one_layer, num_weights)
    assert (found["solver"], found["damping"]) == (solver, damping)
    options = found.keys() - set(inspect.signature(methods.influence.Influence).parameters)
    assert options == ({"max_iterations", "tolerance"} if solver == "cg" else set())


def test_examples_that_are_asked_for():
    assert InfluenceQuestions(workdir="x", num_examples=2).chosen([5, 3, 9]) == [5, 3]
    assert InfluenceQuestions(workdir="x", examples="0, 2, 0").chosen([5, 3, 9]) == [0, 2]
    with pytest.raises(ValueError, match="--examples=0,3: the test examples are 0 to 2"):
        InfluenceQuestions(workdir="x", examples="0,3").chosen([2, 1, 0])


@pytest.mark.parametrize("how", [{"examples": "1,x"}, {"examples": "-1"}, {"num_changed": "0"}, {"num_changed": ""}])
def test_what_cannot_be(how):
    with pytest.raises(ValueError, match=f"--{next(iter(how))}"):
        InfluenceQuestions(workdir="x", **how)


def test_a_network_or_that_of_another_run():
    assert ExplainedNetwork(workdir="x", model="runs/x", network="svm", layers="all").model == "runs/x"
    with pytest.raises(ValueError, match="--model brings its network and classes"):
        ExplainedNetwork(workdir="x", model="runs/x", network="cnn")
    with pytest.raises(ValueError, match="--layers=all is of --model"):
        ExplainedNetwork(workdir="x", layers="all")


def test_counts():
    assert InfluenceQuestions(workdir="x", num_changed="1,20").counts == (1, 20)
