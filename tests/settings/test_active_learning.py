import pytest

from toolkit import settings
from toolkit.methods.query_strategies import STRATEGIES
from toolkit.settings.active_learning import QUERY_STRATEGIES, DropoutNetwork, PoolShape, Queries


def test_the_strategies_are_those_that_there_are():
    assert set(STRATEGIES) == set(QUERY_STRATEGIES)


def test_what_a_pool_is_shaped_by():
    asked = PoolShape(imbalance=10.0, redundancy=0.5, validation_size=20, seed=3)
    assert asked.shaping() == {"imbalance": 10.0, "redundancy": 0.5, "validation_size": 20, "seed": 3}


@settings.recipe
class Both(Queries, PoolShape, DropoutNetwork):
    pass


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"query_strategies": "random,luck"}, "--query_strategies: 'luck' is none of random, least_confidence"),
        ({"query_strategies": "random,\nluck"}, r"--query_strategies: '\\nluck' is none of"),
        ({"unlabelled": "folder"}, "--unlabelled names images without classes: --oracle=ask or csv"),
        ({"mode": "study", "oracle": "ask"}, "--mode=study asks thousands of times: --oracle=ask"),
        ({"dropout": 0.0, "query_strategy": "bald"}, "--dropout=0.0: bald compares passes"),
        ({"dropout": 0.0, "mode": "study", "query_strategies": "random,dbal"}, "--dropout=0.0: dbal compares passes"),
        ({"validation_size": 0}, "--validation_size must be at least 1"),
    ],
)
def test_settings_that_do_not_go_together(how, told):
    with pytest.raises(ValueError, match=told):
        Both(**how)
    assert Both(dropout=0.0).query_strategies and Both(unlabelled="folder", oracle="csv").oracle == "csv"
