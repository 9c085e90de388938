import numpy as np
import pytest

from toolkit.visualize.margin_losses import margin_losses

AGREEMENT = np.linspace(-2, 2, 9)
VALUES = {f"loss {i}": np.abs(AGREEMENT - i) for i in range(11)}
DERIVATIVES = {name: np.gradient(value, AGREEMENT) for name, value in VALUES.items()}


def test_draws_every_loss_and_its_derivative():
    figure = margin_losses(AGREEMENT, VALUES, DERIVATIVES)
    for axis, curves in zip(figure.axes, (VALUES, DERIVATIVES), strict=True):
        lines = {line.get_label(): line for line in axis.lines if line.get_label() in curves}
        assert list(lines) == list(curves)
        for name, curve in curves.items():
            np.testing.assert_array_equal(lines[name].get_xydata(), np.stack([AGREEMENT, curve], axis=1))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(VALUES)
    assert figure.axes[0].get_xlim() == (-2, 2)


def test_no_two_lines_look_alike():
    figure = margin_losses(AGREEMENT, VALUES, DERIVATIVES)
    for axis in figure.axes:
        looks = {(line.get_color(), line.get_linestyle()) for line in axis.lines if line.get_label() in VALUES}
        assert len(looks) == 11


def test_derivatives_are_to_be_those_of_the_values():
    with pytest.raises(ValueError, match="derivatives of loss 0, .* got those of loss 1.$"):
        margin_losses(AGREEMENT, VALUES, {"loss 1": AGREEMENT})
