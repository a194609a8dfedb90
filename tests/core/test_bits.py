"""Old links show the same numbers, to the last bit."""

import pytest

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment, to_script
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS
from core.layer.inputs import INPUTS
from tests.core import bits

KEPT = bits.kept()


def named(row):
    names = ("init", "activation", "number_format", "branch", "norm")
    return ",".join(row["experiment"][name] for name in names if name in row["experiment"])


@pytest.mark.skipif(
    bits.machine() != KEPT["machine"], reason="another processor rounds sums in another order"
)
@pytest.mark.parametrize("row", KEPT["rows"], ids=named)
def test_every_answer_has_the_bits_that_it_had(row):
    e, problems = Experiment.from_query(row["experiment"])
    assert not problems
    assert {"experiment": row["experiment"]} | bits.answers(e) == row


@pytest.mark.parametrize("row", KEPT["rows"], ids=named)
def test_every_script_has_the_text_that_it_had(row):
    e, _ = Experiment.from_query(row["experiment"])
    assert bits.hashed(to_script(e)) == row["script"]


def test_the_kept_experiments_have_met_everything_there_is():
    asked = [row["experiment"] for row in KEPT["rows"]]
    assert {query["init"].partition("(")[0] for query in asked} == set(INITIALIZERS)
    assert {query["activation"] for query in asked} >= set(ACTIVATIONS)  # and formulas
    assert {query["number_format"] for query in asked} == set(NUMBER_FORMATS)
    for law in ("FF", "TF", "FT", "TT"):  # sampled in law or not, tied or fresh
        assert any(
            row["ensemble"].endswith(law[0])
            and (row["experiment"]["weights"] == "tied") == (law[1] == "T")
            for row in KEPT["rows"]
        )
    assert sum("free" in row for row in KEPT["rows"]) >= 5
    layers = [query for query in asked if "branch" in query]
    for name, registry in (("branch", BRANCHES), ("norm", NORMS), ("input", INPUTS)):
        assert {query[name] for query in layers} == set(registry)
    assert {query["norm_place"] for query in layers} == set(NORM_PLACES)
