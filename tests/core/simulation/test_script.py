"""The script is executed and must print the numbers of propagate, to the last bit."""

import contextlib
import io
import subprocess
import sys

import pytest
import torch

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment, propagate
from core.simulation.backward import backpropagate
from core.simulation.script import to_script

EVENTS = (
    "first_nonfinite",
    "first_nan",
    "all_zero",
    "all_subnormal",
    "notebook_mean_nan",
    "notebook_std_nan",
)
SMALL = Experiment(width=33, depth=12, scale=0.9)


def expected(run):
    events = "".join(f"{name}: {getattr(run.events, name)}\n" for name in EVENTS)
    mean, std = float(run.stats.mean[-1]), float(run.stats.std[-1])
    return f"{events}mean: {mean}, std: {std}\n"


def expected_back(back):
    events = "".join(f"gradient {name}: {layer}\n" for name, layer in vars(back.events).items())
    mean, std = float(back.stats.mean[0]), float(back.stats.std[0])
    return f"{expected(back.run)}{events}gradient mean: {mean}, std: {std}\n"


def printed(e, **more):
    before = torch.get_num_threads()
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(to_script(e, **more), {})
    finally:
        torch.set_default_device(None)
        torch.set_num_threads(before)
    return out.getvalue()


@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_prints_the_same_for_every_activation_and_format(activation, number_format):
    for e in (
        SMALL.replace(init="critical"),
        SMALL.replace(init="orthogonal", weights="fresh", batch_size=3, bias_std=0.3),
    ):
        e = e.replace(activation=activation, number_format=number_format, loss_scale=8.0)
        back = backpropagate(e)
        assert printed(e) == expected(back.run)
        assert printed(e, backward=True) == expected_back(back)


@pytest.mark.parametrize("init", INITIALIZERS)
def test_it_prints_the_same_for_every_initialiser_and_scale(init):
    for width, batch_size in ((1, 1), (7, 5), (40, 1)):
        for scale in (1.0, 30.0, 1e-3, 0.0):
            e = SMALL.replace(init=init, width=width, batch_size=batch_size, scale=scale, depth=40)
            back = backpropagate(e)
            assert printed(e) == expected(back.run)
            assert printed(e, backward=True) == expected_back(back)


@pytest.mark.parametrize(
    "e",
    [
        Experiment(),
        Experiment(scale=0.01),
        Experiment(number_format="float64", depth=240),
        Experiment(width=300, batch_size=70, activation="relu", weights="fresh", depth=10),
        Experiment(seed=2**63 - 1, depth=30),
    ],
    ids=lambda e: f"{e.number_format}-{e.width}-{e.scale}-{e.seed}",
)
def test_it_stands_alone_in_a_fresh_interpreter(e, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(to_script(e))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == expected(propagate(e))


def test_it_imports_only_torch_and_is_short():
    for e in (Experiment(), SMALL.replace(bias_std=1.0, number_format="float8_e5m2")):
        lines = to_script(e).splitlines()
        assert [line for line in lines if "import" in line] == ["import torch"]
        assert len(lines) < 65 and max(map(len, lines)) <= 120
