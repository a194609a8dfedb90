"""Numbers and names as sentences have them."""

import pytest

from core.text import listed, typeset


@pytest.mark.parametrize(
    "text, html",
    [
        ("σ_w = 1.2, σ_b = 0.3", "σ<sub>w</sub> = 1.2, σ<sub>b</sub> = 0.3"),
        ("6·ξ_c goes", "6·ξ<sub>c</sub> goes"),
        (
            "as n^0.50 at layer 1, as n^1.00.",
            "as n<sup>0.50</sup> at layer 1, as n<sup>1.00</sup>.",
        ),
        ("falls as n^-0.25", "falls as n<sup>−0.25</sup>"),
        (
            "first_nonfinite of float8_e4m3fn, in_2, x^2",
            "first_nonfinite of float8_e4m3fn, in_2, x^2",
        ),
    ],
)
def test_an_index_and_a_power_are_set_as_such_and_names_stay(text, html):
    assert typeset(text) == html


def test_names_are_listed_as_in_a_sentence():
    assert [listed(["a", "b", "c"][:count]) for count in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
