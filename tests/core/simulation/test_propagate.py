"""The run agrees with a plain loop, and is repeatable to the last bit."""

import threading

import numpy as np
import pytest
import torch

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment, propagate
from core.host.limits import chunk_layers
from core.simulation.propagate import Stopped, draw_input
from core.statistics.layer_stats import STATISTICS
from tests.core.experiments import weights_and_bias

CPU = torch.device("cpu")
SMALL = Experiment(width=48, depth=40)

CASES = {
    "explodes": SMALL,
    "vanishes": SMALL.replace(scale=0.01),
    "holds": SMALL.replace(init="orthogonal", weights="fresh"),
    "relu": SMALL.replace(activation="relu", batch_size=5),
    "bias": SMALL.replace(bias_std=0.5, activation="tanh", weights="fresh", batch_size=3),
    "dead": SMALL.replace(scale=0.0),
    "one number": SMALL.replace(width=1),
    "two layers": SMALL.replace(depth=2, width=3),
}


def settled(h, e):
    """The result of a step, without subnormal numbers where they are flushed."""
    return e.format.cast(h) if e.format.flushes else h


def plain_loop(e, device=CPU):
    """x at every layer, by the plain loop of the lesson."""
    x = draw_input(e, device)
    layers = [x]
    for k in range(1, e.depth + 1):
        a, b = weights_and_bias(e, k if e.weights == "fresh" else 1, device)
        # Products of their own kind have an oracle in test_number_formats.
        h = e.format.multiplication.product(a, x.to(e.format.sum_dtype), by_rows=False)
        h = settled(h.to(e.format.product_dtype), e)
        h = h if b is None else settled(h + b, e)
        x = e.format.cast(ACTIVATIONS[e.activation](h))
        layers.append(x)
    return layers


def plain_events(layers, e):
    """The events, by one Python check after the other, as in the lesson."""

    def first(happened):
        for i, x in enumerate(layers[1:]):
            if happened(x.to(e.format.product_dtype)):
                return i
        return None

    def std(x):
        return x.std() if x.numel() > 1 else torch.tensor(torch.nan)

    tiny = e.format.smallest_normal
    return {
        "first_nonfinite": first(lambda x: not x.isfinite().all()),
        "first_nan": first(lambda x: x.isnan().any()),
        "all_zero": first(lambda x: (x == 0).all()),
        "all_subnormal": first(lambda x: (x != 0).any() and (x.abs() < tiny).all()),
        "notebook_mean_nan": first(lambda x: x.mean() != x.mean()),
        "notebook_std_nan": first(lambda x: std(x) != std(x)),
        "notebook_mean_inf": first(lambda x: x.mean().isinf()),
        "notebook_std_inf": first(lambda x: std(x).isinf()),
    }


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_layers_and_events_are_those_of_a_plain_loop(case, number_format):
    e = CASES[case].replace(number_format=number_format)
    if number_format == "float64" and case in ("explodes", "vanishes"):
        e = e.replace(depth=400)
    run, layers = propagate(e), plain_loop(e)
    assert vars(run.events) == plain_events(layers, e)
    np.testing.assert_array_equal(run.final, layers[-1].double().numpy())
    for k in (0, 1, e.depth // 2, e.depth):
        x = layers[k].double()
        assert run.stats.nonfinite[k] == (~x.isfinite()).double().mean()
        assert run.stats.zero[k] == (x == 0).double().mean()
        np.testing.assert_equal(run.stats.max_abs[k], x.abs().max().item())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("scale", [3e-3, 0.05, 1 / 48**0.5, 0.4, 1.0, 37.0])
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
def test_events_agree_with_a_plain_loop_over_many_seeds(number_format, scale):
    for seed in range(12):
        e = SMALL.replace(seed=seed, scale=scale, number_format=number_format, width=31 + seed)
        assert vars(propagate(e).events) == plain_events(plain_loop(e), e)


@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_a_shallower_run_is_the_first_part_of_a_deeper_one(weights, monkeypatch):
    monkeypatch.setattr("core.host.limits._CHUNK_ELEMENTS", 4000)  # several chunks in each
    e = Experiment(width=64, depth=100, weights=weights, bias_std=0.1, activation="relu")
    assert 1 < chunk_layers(e) < 25
    deep, shallow = propagate(e), propagate(e.replace(depth=50))
    for name in STATISTICS:
        np.testing.assert_array_equal(deep.stats.values[name][:51], shallow.stats.values[name])


def same(one, other):
    for name in STATISTICS:
        np.testing.assert_array_equal(one.stats.values[name], other.stats.values[name])
    np.testing.assert_array_equal(one.final, other.final)
    assert one.events == other.events


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"width": 7, "batch_size": 64},
        {"width": 513, "batch_size": 33, "depth": 5},
        {"init": "orthogonal", "width": 200},
        {"width": 1000, "batch_size": 100, "depth": 4, "activation": "relu"},
        {"width": 40_00, "batch_size": 20, "depth": 1, "init": "identity"},
    ],
)
def test_the_result_does_not_depend_on_the_number_of_threads(changes):
    e = Experiment(depth=30).replace(**changes)
    before = torch.get_num_threads()
    try:
        runs = []
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            runs.append(propagate(e))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    same(runs[0], runs[1])
    same(runs[0], runs[2])


def test_the_result_does_not_depend_on_chunking(monkeypatch):
    e = Experiment(width=64, depth=60, bias_std=0.2, weights="fresh", batch_size=3)
    whole = propagate(e)
    monkeypatch.setattr("core.host.limits._CHUNK_ELEMENTS", 1)
    same(whole, propagate(e))


def test_runs_in_parallel_threads_do_not_disturb_each_other():
    experiments = [Experiment(width=128, depth=30, seed=seed, weights="fresh") for seed in range(8)]
    alone = [propagate(e) for e in experiments]
    together = [None] * 8

    def work(place):
        together[place] = propagate(experiments[place])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        same(one, other)


def test_nothing_touches_torchs_own_generator():
    before = torch.get_rng_state()
    propagate(SMALL.replace(bias_std=1.0, weights="fresh"))
    assert torch.equal(before, torch.get_rng_state())


def test_every_format_sees_the_same_network():
    exact, _ = weights_and_bias(SMALL.replace(number_format="float64"), 1)
    for name, entry in NUMBER_FORMATS.items():
        a, _ = weights_and_bias(SMALL.replace(number_format=name), 1)
        assert torch.equal(a, entry.cast(exact).to(entry.sum_dtype))


def test_tied_and_fresh_share_their_input_and_first_layer():
    tied, fresh = propagate(SMALL), propagate(SMALL.replace(weights="fresh"))
    np.testing.assert_array_equal(tied.stats.std[:2], fresh.stats.std[:2])
    assert tied.stats.std[2] != fresh.stats.std[2]


def test_progress_rises_to_one_and_a_stop_is_obeyed_at_once():
    seen = []
    propagate(SMALL, on_progress=seen.append)
    assert seen == [(k + 1) / 40 for k in range(40)]
    asked = iter([False, False, True])
    with pytest.raises(Stopped, match="3 of 40"):
        propagate(SMALL, should_stop=lambda: next(asked))


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "", "CPU", "cpu:1"])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ValueError, match=f"device must be one of auto, cpu.*got '{device}'"):
        propagate(SMALL, device=device)


def test_auto_picks_what_there_is():
    expected = "cuda:0" if torch.cuda.is_available() else "cpu"
    assert propagate(SMALL, device="auto").device == expected


@pytest.mark.parametrize("init", INITIALIZERS)
@pytest.mark.parametrize("weights", ["tied", "fresh"])
def test_every_initialiser_runs(init, weights):
    run = propagate(SMALL.replace(init=init, weights=weights, depth=3))
    assert len(run.stats) == 4 and run.final.shape == (48,)


def test_torchs_default_dtype_does_not_matter():
    for init in ("normal", "orthogonal", "sparse", "truncated_normal", "identity"):
        e = SMALL.replace(init=init, bias_std=0.3, depth=5)
        plain = propagate(e)
        torch.set_default_dtype(torch.float64)
        try:
            same(plain, propagate(e))
        finally:
            torch.set_default_dtype(torch.float32)


def test_overlapping_runs_leave_the_number_of_threads_as_it_was():
    before = torch.get_num_threads()
    inner_done = threading.Event()
    found = []

    def inner():
        propagate(SMALL)
        inner_done.set()

    def start_another(fraction):
        if fraction == 0.5:
            threading.Thread(target=inner).start()
            assert inner_done.wait(30)

    propagate(SMALL, on_progress=start_another)
    late = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    late.start()
    late.join()
    assert [torch.get_num_threads(), *found] == [before, before]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_cuda_agrees_with_a_plain_loop_on_cuda(case, number_format):
    e = CASES[case].replace(number_format=number_format)
    run, layers = propagate(e, device="cuda"), plain_loop(e, torch.device("cuda:0"))
    assert vars(run.events) == plain_events(layers, e)
    np.testing.assert_array_equal(run.final, layers[-1].double().cpu().numpy())
    same(run, propagate(e, device="cuda:0"))
