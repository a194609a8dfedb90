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


def test_the_table_of_a_way_back_has_both_verdicts_and_the_gradients_columns(capsys):
    network = ["--activation", "tanh", "--init", "critical", "--weights", "fresh"]
    status, out, _ = run_main(capsys, *network, "--depth", "100", "--backward")
    assert status == 0
    lines = out.splitlines()
    assert lines[3].startswith("forward   holds: ")
    assert lines[4].startswith("gradient  explodes: ") and "2.68e3 times" in lines[4]
    assert lines[5] == (
        "both      forward it holds, its gradient explodes; trainable to about 83 layers, by theory"
    )
    assert "gradient first_nonfinite  never" in lines
    head = lines.index(next(line for line in lines if line.startswith("layer")))
    assert lines[head].split()[-3] == "gradient_rms"
    gradient = [float(line.split()[-3]) for line in lines[head + 1 :]]
    assert len(gradient) == 101 and gradient[0] == pytest.approx(2637.2, rel=1e-4)


@pytest.mark.parametrize("file_format", ["table", "csv", "json"])
def test_without_a_way_back_nothing_is_said_of_a_gradient(capsys, file_format):
    size = ["--width", "8", "--depth", "3", "--format", file_format]
    _, out, _ = run_main(capsys, *size)
    assert "gradient" not in out and "forward" not in out
    _, there_and_back, _ = run_main(capsys, *size, "--backward")
    assert "gradient" in there_and_back


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "3e7", "1e-9", "much", "", "1/0"])
@pytest.mark.parametrize("backward", [[], ["--backward"]])
def test_a_loss_scale_that_is_not_accepted_is_named_with_its_bounds(capsys, text, backward):
    status, out, err = run_main(capsys, f"--loss-scale={text}", *backward)
    assert (status, out) == (2, "")
    told = f"loss_scale must be a number from 2^-24 to 2^24, got {text!r}"
    assert err == f"python -m core: {told}\n"


@pytest.mark.parametrize("text, value", [("2^-24", 2.0**-24), ("1/1024", 2.0**-10), ("3", 3.0)])
def test_a_loss_scale_multiplies_the_gradient_and_may_be_a_formula(capsys, text, value):
    size = ["--width", "8", "--depth", "2", "--format", "csv", "--backward"]
    tables = [run_main(capsys, *size, "--loss-scale", scale)[1] for scale in ("1", text)]
    plain, scaled = (list(csv.DictReader(io.StringIO(table))) for table in tables)
    for before, after in zip(plain, scaled, strict=True):
        assert float(after["rms"]) == float(before["rms"])
        # One rounding of float32 at the output, and one after each product.
        expected = value * float(before["gradient_rms"])
        assert float(after["gradient_rms"]) == pytest.approx(expected, rel=1e-6)


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
