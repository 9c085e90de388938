import pytest

from toolkit import settings
from toolkit.settings import domains


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_shares_that_leave_nothing(share):
    with pytest.raises(ValueError, match="expected a share over 0 and under 0.5"):
        domains.Images(held_out=share)
    with pytest.raises(ValueError, match="expected a share over 0 and under 0.5"):
        domains.Speech(held_out=share)


def test_batches_that_would_fill_any_memory():
    @settings.recipe
    class Settings(domains.Images, settings.Training):
        epochs: int = 1

    with pytest.raises(
        ValueError, match="--image_size=2048 in a --batch_size of 4096 are 17 billion pixels; at most 1"
    ):
        Settings(image_size=2048, batch_size=4096)
    assert Settings(image_size=224, batch_size=8192).image_size == 224


def test_a_group_takes_from_its_own():
    assert domains.WrittenStrokes().max_points == domains.Strokes().max_points
    assert "text" in domains.WrittenStrokes.__dataclass_fields__["data"].metadata["help"]


def test_what_readers_are_asked_for():
    asked = domains.WrittenStrokes(data="npy:x", alphabet="ab", seed=3).reading()
    assert asked == {
        **{"source": "npy:x", "text": True, "alphabet": "ab", "max_characters": 40},
        **{"seed": 3, "spacing": 0.0, "points_per_character": 0.0, "max_points": 320, "skip_corrupt": False},
    }
    assert not domains.Strokes().reading()["text"] and "alphabet" not in domains.Strokes().reading()
    assert domains.Augmentation(flip=True).changes() == {
        **{"crop": "shift", "flip": True, "color": 0.0},
        **{"lighting": 0.0, "erasing": 0.0},
    }


def test_what_speech_is_asked_for():
    asked = domains.Speech(data="fsdd:x", trim=0.1).reading()
    assert asked == {
        **{
            "source": "fsdd:x",
            "sample_rate": 8000,
            "window": 4000,
            "names": "",
            "trim": 0.1,
            "peak": 0.0,
        },
        **{"held_out": 0.1, "held_out_speakers": 0, "seed": 0, "skip_corrupt": False},
    }


def test_what_videos_are_asked_for():
    asked = domains.Videos(data="npy:x", num_frames=20, axes="time_first").reading()
    assert asked == {
        **{"source": "npy:x", "num_frames": 20, "frame_step": 1, "image_size": None, "channels": None},
        **{"axes": "time_first", "held_out": 0.1, "seed": 0, "skip_corrupt": False},
    }
    with pytest.raises(ValueError, match="--channels must be 1 .grey. or 3 .in colour.; got 2"):
        domains.Videos(channels=2)
    with pytest.raises(ValueError, match="expected a share over 0 and under 0.5"):
        domains.Videos(held_out=0.5)
    with pytest.raises(ValueError, match="--num_frames=1000 of --image_size=2048 in a --batch_size of 1 are 4 billion"):
        domains.Videos(num_frames=1000, image_size=2048)


@pytest.mark.parametrize(
    ("data", "digits", "size"),
    [
        ("embedded", True, 16),
        ("embedded:50", True, 16),
        ("embedded:shapes:9", False, 64),
        ("keras:mnist", False, None),
        ("folder:embedded:", False, None),
    ],
)
def test_which_images_are_the_embedded_digits(data, digits, size):
    images = domains.Images(data=data)
    assert (images.digits, images.embedded_size) == (digits, size)
