import pytest

from core import Experiment
from core.reading.trainable import depth_scale, in_a_word, trainable

TANH = Experiment(width=300, activation="tanh", weights="fresh", bias_std=0.05**0.5)


@pytest.mark.parametrize(
    "sigma_w_squared, layers", [(1.0, 22), (1.3, 47), (1.7, 450), (1.9, 236), (2.5, 71), (4.0, 42)]
)
def test_the_depths_of_schoenholz(sigma_w_squared, layers):
    e = TANH.replace(scale=(sigma_w_squared / 300) ** 0.5)
    assert f"which is about {layers} layers here" in trainable(e)
    assert in_a_word(e) == f"trainable to about {layers} layers, by theory"


def test_beside_the_edge_of_chaos_no_number_pretends_to_be_known():
    e = TANH.replace(init="xavier_normal", scale=1.0001, bias_std=0.0)
    assert "more than 10,000 layers" in trainable(e)


@pytest.mark.parametrize(
    "change",
    [
        {"weights": "tied"},
        {"init": "sparse"},
        {"scale": 0.0},
        {"activation": "relu", "bias_std": 0.0},  # its signals keep no size of their own
        {"activation": "linear"},
        {"init": "xavier_normal", "bias_std": 0.0, "scale": 1.0},  # the edge of chaos
    ],
)
def test_where_theory_gives_none_nothing_is_said(change):
    e = TANH.replace(**{"scale": 0.06} | change)
    assert depth_scale(e) is None and trainable(e) == in_a_word(e) == ""
