import csv
import io
import json

import numpy as np
import pytest

from core import Experiment, propagate
from core.__main__ import main
from core.reading.records import to_json
from core.statistics.layer_stats import STATISTICS


def run_main(capsys, *arguments):
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_json_has_the_experiment_the_device_the_events_and_every_layer(capsys):
    status, out, _ = run_main(capsys, "--format", "json")
    document = json.loads(out, parse_constant=pytest.fail)  # strict JSON: no NaN, no Infinity
    assert status == 0
    assert list(document) == ["experiment", "device", "events", "layers"]
    assert document["experiment"]["width"] == 512 and document["device"] == "cpu"
    assert document["events"]["first_nonfinite"] in (27, 28)
    assert [layer["layer"] for layer in document["layers"]] == list(range(101))
    assert set(document["layers"][0]) == {"layer", *STATISTICS}
    assert document["layers"][100]["std"] is None


def test_csv_reads_back_to_the_same_numbers(capsys):
    _, out, _ = run_main(capsys, "--format", "csv", "--width", "32", "--scale", "1/√n")
    rows = list(csv.DictReader(io.StringIO(out)))
    run = propagate(Experiment(width=32, scale=32**-0.5))
    for name in STATISTICS:
        column = np.array([float(row[name]) for row in rows])
        np.testing.assert_array_equal(column, run.stats.values[name])


def test_table_shows_the_first_broken_element_beside_the_lessons_checks(capsys):
    _, out, _ = run_main(capsys)
    assert "first_nonfinite     i = 28 (product 29)" in out
    assert "notebook_mean_nan   i = 27 (product 28)" in out
    assert "notebook_std_nan    i = 27 (product 28)" in out
    assert "never" in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--width", "1e9"], "width must be a whole number from 1 to 16384, got '1e9'"),
        (["--depth", "2.5"], "depth must be a whole number"),
        (["--activation", "foo"], "activation must be one of linear, relu"),
        (["--device", "tpu"], "device must be one of auto, cpu"),
        (["--width", "16384", "--batch-size", "4096"], "GiB"),
    ],
)
def test_what_is_not_accepted_is_said_on_stderr(capsys, arguments, words):
    status, out, err = run_main(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err and "is used" not in err


def test_every_field_is_an_option(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for option in ("--number-format", "--bias-std", "--batch-size", "--seed", "--device"):
        assert option in out


def test_json_of_a_vanished_run_keeps_log2_as_null_and_zero_as_zero():
    layers = json.loads(to_json(propagate(Experiment(width=8, depth=2, scale=0.0))))["layers"]
    assert layers[2]["std"] == 0 and layers[2]["log2_std"] is None
