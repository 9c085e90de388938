import pytest

from toolkit.settings.mixing import Mixing


def test_what_is_mixed():
    assert not Mixing().mixes_images and Mixing().mix_layers == []
    assert Mixing(mixup=0.2).mixes_images and Mixing(cutmix=1.0).mixes_images
    layers = Mixing(mixup=2.0, mix_layer="image,level_0")
    assert not layers.mixes_images and layers.mix_layers == ["image", "level_0"]
    assert Mixing(batch_size=1).batch_size == 1


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"mixup": -0.2}, "--mixup must be at least 0"),
        ({"mixup": 1.0, "batch_size": 1}, "--mixup=1.0 mixes images of a batch: --batch_size=1 has no other one"),
        ({"cutmix": 1.0, "batch_size": 1}, "--cutmix=1.0 mixes images"),
        ({"mix_layer": "level_0"}, "--mix_layer='level_0' needs --mixup=ALPHA"),
        ({"mix_layer": "level_0", "mixup": 1.0, "cutmix": 1.0}, "--mix_layer and --cutmix exclude each other"),
    ],
)
def test_settings_that_do_not_go_together(how, told):
    with pytest.raises(ValueError, match=told):
        Mixing(**how)
