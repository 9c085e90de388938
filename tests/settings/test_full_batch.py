import dataclasses

from toolkit.settings.full_batch import FullBatch
from toolkit.settings.running import Training


def test_fields_that_a_training_has_too_are_of_the_same_types():
    own, others = ({field.name: field for field in dataclasses.fields(each)} for each in (FullBatch, Training))
    shared = own.keys() & others.keys()
    assert shared >= {"epochs", "batch_size", "checkpoint_minutes"}
    assert all(own[name].type == others[name].type for name in shared)
    assert own["epochs"].metadata["remembered"] and own["epochs"].metadata["changeable"]
