"""Sweeps on a Dask cluster: scheduler and workers are processes of their own and talk over TCP."""

import pytest

from core import Experiment
from core.sweep import load, sweep
from core.sweep.__main__ import main
from core.sweep.executors import cluster as connected
from tests.core.sweep.test_sweep import GRIDS, same, swept
from tests.dask_cluster import cluster


@pytest.fixture(scope="module")
def dask():
    with cluster(workers=2) as made:
        yield made


@pytest.mark.parametrize("name", GRIDS)
def test_a_cluster_gives_the_same_bits(name, dask):
    same(swept(name), swept(name, executor=connected(dask.address)))


def test_the_command_computes_on_the_cluster_that_is_set(dask, tmp_path, capsys, monkeypatch):
    command = ["--x", "scale=0.1..1:4", "--y", "width=16..64:3", "--measure", "rms", "--quiet"]
    assert main([*command, "--out", str(tmp_path / "here.parquet")]) == 0
    monkeypatch.setenv("GOOD_INIT_DASK", dask.address)
    assert main([*command, "--out", str(tmp_path / "there.parquet")]) == 0
    assert f"on {dask.address}" in capsys.readouterr().out
    same(load(tmp_path / "here.parquet"), load(tmp_path / "there.parquet"))


def test_a_sweep_that_is_stopped_leaves_the_cluster_to_the_next_one(dask):
    base = Experiment(width=200, depth=60, activation="tanh", number_format="float8_e5m2")
    axes, seen = {"seed": list(range(400))}, []
    result = sweep(
        base,
        axes,
        "rms",
        executor=connected(dask.address),
        on_result=seen.append,
        should_stop=lambda: bool(seen),
    )
    assert result.stopped and 0 < result.done.sum() < result.done.size and not result.errors
    same(swept("runs"), swept("runs", executor=connected(dask.address)))


def test_a_worker_killed_on_the_way_changes_nothing_and_no_cell_is_counted_twice(dask):
    base = Experiment(width=400, depth=60, activation="tanh", number_format="float8_e5m2")
    axes = {"scale": [0.01 * k for k in range(1, 13)], "seed": [1, 2, 3]}
    killed, seen = [], []

    def kill_one(fraction):
        if not killed:
            dask.workers[0].kill()
            killed.append(fraction)

    result = sweep(
        base,
        axes,
        "log2_std",
        ensemble_size=4,
        executor=connected(dask.address),
        on_progress=lambda fraction: (seen.append(fraction), kill_one(fraction)),
    )
    assert killed and killed[0] < 1, "the worker was killed after the end"
    assert dask.workers[0].wait(60) == -9
    same(sweep(base, axes, "log2_std", ensemble_size=4), result)
    assert seen == sorted(set(seen)) and seen[-1] == 1
