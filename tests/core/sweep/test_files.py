"""A sweep as a table and as files that bring it back, and from the command line."""

import re

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from core import Experiment, propagate
from core.question.experiment import DEFAULTS, PARAMETERS
from core.sweep import load, save, sweep, to_frame
from core.sweep.__main__ import main

BASE = Experiment(width=12, depth=8, seed=2**62 + 1, scale=0.1)
RESULTS = {
    "iterations": lambda: sweep(BASE, {"scale": [0.1, 1e5, 1e6]}, ensemble_size=2, real=True),
    "grid": lambda: sweep(
        BASE, {"activation": ["tanh", "relu"], "width": [2, 5, 9]}, "log2_rms@3", ensemble_size=3
    ),
    "infinite": lambda: sweep(BASE.replace(weights="fresh"), {"scale": [1e-6, 1e6]}, "log2_std"),
    "stuck": lambda: sweep(
        BASE.replace(number_format="float8_e4m3fn"), {"scale": [0.1, 5.0]}, ensemble_size=2
    ),
    "theory": lambda: sweep(
        BASE.replace(activation="tanh"), {"sigma_w": [0.5, 1.7], "bias_std": [0.0, 0.3]}, "xi_c"
    ),
}


def same(one, other):
    assert (one.base, one.axes, one.question) == (other.base, other.axes, other.question)
    assert one.values.tobytes() == other.values.tobytes()
    assert one.engines.tobytes() == other.engines.tobytes()
    assert one.errors == other.errors and one.stopped == other.stopped
    assert one.stuck.tobytes() == other.stuck.tobytes()


@pytest.fixture
def refused(monkeypatch):
    """One cell of four is too much for the host."""
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e7")
    return sweep(BASE.replace(activation="tanh"), {"width": [2, 3, 4, 4000]}, "rms", real=True)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
@pytest.mark.parametrize("name", RESULTS)
def test_a_file_brings_back_every_bit(name, ending, tmp_path):
    result = RESULTS[name]()
    path = tmp_path / f"map{ending}"
    save(result, path)
    same(load(path), result)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_errors_come_back_too(refused, ending, tmp_path):
    path = tmp_path / f"map{ending}"
    assert set(refused.errors) == {(3,)}
    save(refused, path)
    same(load(path), refused)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_what_was_not_done_comes_back_as_not_done(ending, tmp_path):
    path, seen = tmp_path / f"map{ending}", []
    wide = BASE.replace(activation="tanh", width=300, number_format="float8_e5m2")
    partial = sweep(
        wide,
        {"scale": [0.1 * k for k in range(1, 30)]},
        "rms",
        on_result=seen.append,
        should_stop=lambda: bool(seen),
    )
    assert partial.stopped and 0 < partial.fraction_done < 1
    save(partial, path)
    same(load(path), partial)


def test_the_table_has_a_row_for_each_network_of_each_cell():
    result = RESULTS["grid"]()
    frame = to_frame(result)
    assert list(frame) == ["activation", "width", "network", "value", "engine", "error"]
    assert len(frame) == 2 * 3 * 3 and set(frame["engine"]) == set(result.engine_names)
    for _, row in frame.iterrows():
        place = (["tanh", "relu"].index(row["activation"]), [2, 5, 9].index(row["width"]))
        assert row["value"] == result.values[(row["network"], *place)]
    stuck = to_frame(RESULTS["stuck"]())
    assert stuck["stuck"].tolist() == [False, False, True, True]


def test_others_can_read_the_files(tmp_path):
    result = RESULTS["grid"]()
    save(result, tmp_path / "map.parquet")
    save(result, tmp_path / "map.csv")
    frame = pd.read_parquet(tmp_path / "map.parquet")
    pd.testing.assert_frame_equal(frame, to_frame(result))
    again = pd.read_csv(tmp_path / "map.csv", comment="#", keep_default_na=False)
    np.testing.assert_array_equal(again["value"].astype(float), frame["value"])
    metadata = pq.read_schema(tmp_path / "map.parquet").metadata
    assert b'"seed": "4611686018427387905"' in metadata[b"good_init_sweep"]


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("map.txt", b"", "the file must end in .parquet or .csv, got"),
        ("map.csv", b"", "first line does not say"),
        ("map.csv", b"a,b\n1,2\n", "first line does not say"),
        ("map.csv", b'# good_init_sweep {"axes": []}\nvalue\n1\n', "is not a sweep"),
        ("map.csv", b"# good_init_sweep nonsense\nvalue\n1\n", "is not a sweep"),
        ("map.csv", b"\xff\xfe\x00", "is not a sweep"),
        ("map.parquet", b"PAR1", "is not a sweep"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(name, content, words, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        load(path)


def test_a_table_that_was_tampered_with_is_refused(tmp_path):
    path = tmp_path / "map.csv"
    save(RESULTS["grid"](), path)
    lines = path.read_text().splitlines()
    for bad, words in (
        (lines[:-1], "18 rows is wanted, got 17"),
        ([lines[0].replace("log2_rms", "log3_rms"), *lines[1:]], "no measure"),
        ([lines[0].replace('"width": "12"', '"width": "-12"'), *lines[1:]], "width must be"),
        ([lines[0].replace("tanh", "rellu"), *lines[1:]], "activation must be one of"),
        ([line.replace(",runs,", ",magic,") for line in lines], "an engine must be one of"),
    ):
        path.write_text("\n".join(bad) + "\n")
        with pytest.raises(ValueError, match=words):
            load(path)


def test_the_command_writes_what_sweep_returns(tmp_path, capsys):
    out = tmp_path / "map.parquet"
    axes = ["--x", "scale=1e-2..1e1:4", "--y", "width=16..64:3"]
    code = main([*axes, "--depth", "20", "--networks", "2", "--seed", "3", "--out", str(out)])
    said = capsys.readouterr()
    assert code == 0 and "NaN iteration: 4 × 3 cells, 2 per cell" in said.out
    assert "in 1 process" in said.out and f"written: {out}" in said.out
    assert "100%" in said.err
    expected = sweep(
        Experiment(depth=20, seed=3),
        {"scale": [0.01, 0.1, 1.0, 10.0], "width": [16, 32, 64]},
        ensemble_size=2,
    )
    same(load(out), expected)


def test_the_command_uses_processes_and_real_runs(tmp_path, capsys):
    out = tmp_path / "map.csv"
    command = ["--x", "scale=1,1e6", "--measure", "first_nonfinite", "--real", "--quiet"]
    small = ["--width", "9", "--depth", "12", "--processes", "2", "--out", str(out)]
    assert main([*command, *small]) == 0
    said = capsys.readouterr()
    assert "in 2 processes" in said.out and "real a @ x in the number format" in said.out
    assert said.err == ""
    run = propagate(Experiment(width=9, depth=12, scale=1e6))
    assert run.events.first_nonfinite is not None
    np.testing.assert_equal(load(out).values[0], [np.nan, run.events.first_nonfinite])


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--x", "scale=1", "--y", "scale=2"], "x and y must be different fields"),
        (["--x", "scale=-1"], "scale must be a number from 0"),
        (["--x", "colour=1"], "there is no axis 'colour'"),
        (["--x", "scale=1", "--measure", "beauty"], "there is no measure 'beauty'"),
        (["--x", "scale=1", "--networks", "0"], "ensemble_size must be"),
        (["--x", "scale=1", "--processes", "0"], "processes must be a whole number"),
        (["--x", "scale=1", "--width", "-4"], "width must be a whole number"),
        (["--x", "scale=1", "--out", "map.xlsx"], "must end in .parquet or .csv"),
        (["--x", "scale=1", "--out", "/nowhere/at/all.csv"], "No such file"),
    ],
)
def test_the_command_names_what_it_does_not_accept(arguments, words, capsys):
    assert main([*arguments, "--depth", "3", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert re.search(words, said) and said.startswith("python -m core.sweep: ")


@pytest.mark.parametrize(
    "address, words",
    [
        ("http://x:1", "GOOD_INIT_DASK must be empty, or the address"),
        (
            "tcp://127.0.0.1:1",
            "GOOD_INIT_DASK must be the address of a Dask scheduler that answers",
        ),
    ],
)
def test_a_cluster_that_is_not_there_is_named(address, words, capsys, monkeypatch):
    monkeypatch.setattr("core.sweep.executors._PATIENCE", "1s")
    monkeypatch.setenv("GOOD_INIT_DASK", address)
    assert main(["--x", "scale=1", "--quiet"]) == 2
    assert words in capsys.readouterr().err


def test_every_field_is_an_option_that_says_what_is_allowed(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for name, parameter in PARAMETERS.items():
        assert f"--{name.replace('_', '-')}" in told
        formula = ", or a formula such as 5/3 or 1/sqrt(n)" * (parameter.kind == "real")
        assert f"{parameter.allowed.capitalize()}{formula}. Default {DEFAULTS[name]}." in told


def test_a_refused_cell_is_told_and_the_rest_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e7")
    out = tmp_path / "map.csv"
    assert (
        main(["--x", "width=3,4000", "--depth", "4", "--real", "--quiet", "--out", str(out)]) == 1
    )
    assert "1 cells without a number: this run needs about" in capsys.readouterr().out
    assert load(out).done.tolist() == [True, False]
