import subprocess
import sys

import pytest

from core import INITIALIZERS, NUMBER_FORMATS, Experiment, propagate, sample_ensemble
from core.host import threads
from core.host.limits import (
    WorkLimit,
    WorkLimitError,
    cost,
    ensemble_work,
    gradients_memory,
    is_quick,
    kept_matrices,
    memory_there_and_back,
)
from core.layer.operation import MICROSECOND


def test_the_lesson_is_far_below_the_limit_and_the_widest_single_run_is_allowed():
    WorkLimit.from_environment().check(Experiment())
    WorkLimit.from_environment().check(Experiment(width=16384))
    assert is_quick(Experiment()) and not is_quick(Experiment(width=8192, weights="fresh"))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"width": 16384, "batch_size": 4096}, "GiB of memory.*lower width or batch_size"),
        ({"width": 16384, "weights": "fresh"}, "multiply-adds.*or use tied weights"),
        ({"width": 16384, "depth": 2000}, "multiply-adds.*lower width or depth"),
        ({"width": 4096, "init": "orthogonal", "weights": "fresh"}, "multiply-adds"),
        ({"width": 16384, "number_format": "float64"}, "GiB of memory.*lower width"),
    ],
)
def test_too_much_is_refused_with_what_it_needs_and_what_to_lower(changes, words):
    with pytest.raises(WorkLimitError, match=words) as error:
        propagate(Experiment(**changes))
    assert "the host allows" in str(error.value)


def test_the_environment_sets_the_limit(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e6")
    with pytest.raises(WorkLimitError, match=r"allows 1.0e\+06"):
        propagate(Experiment())
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e9")
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", "1000")
    with pytest.raises(WorkLimitError, match="memory"):
        propagate(Experiment())


@pytest.mark.parametrize("text", ["", "lots", "-1", "0", "nan", "inf"])
def test_a_limit_that_is_no_positive_number_is_named(monkeypatch, text):
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", text)
    with pytest.raises(ValueError, match="GOOD_INIT_MAX_BYTES must be a positive number, got"):
        propagate(Experiment(width=2, depth=1))


MLP = {"branch": "mlp", "skip": "identity", "norm": "layer"}
WIDE_HIDDEN = MLP | {
    "width": 64,
    "depth": 12,
    "expansion": 16,
    "norm_place": "inside",
    "batch_size": 4096,
    "number_format": "bfloat16",
    "weights": "fresh",
}
LARGE = [
    {"width": 6500, "depth": 2},
    {"width": 4500, "depth": 2, "weights": "fresh"},
    {"width": 4500, "depth": 1, "number_format": "float64"},
    {"width": 4500, "depth": 1, "number_format": "float16"},
    {"width": 4500, "depth": 1, "number_format": "float8_e4m3fn", "scale": 0.5},
    {"width": 3500, "depth": 1, "init": "orthogonal"},
    {"width": 3000, "depth": 1, "init": "spectral"},
    {"width": 3500, "depth": 1, "init": "sparse"},
    {"width": 4500, "depth": 1, "init": "truncated_normal"},
    {"width": 1024, "depth": 3, "batch_size": 4096, "bias_std": 1.0, "activation": "gelu"},
    {"width": 4500, "depth": 1, "number_format": "bfloat16"},
    {"width": 1024, "depth": 2, "batch_size": 4096, "number_format": "float64"},
    # Its blocks are larger than 32 MiB: of smaller ones glibc keeps some, at times more or fewer.
    WIDE_HIDDEN | {"width": 260, "depth": 3},
]

THERE_AND_BACK = [
    {"width": 6500, "depth": 2},
    {"width": 2048, "depth": 8, "weights": "fresh", "activation": "relu"},  # the matrices are kept
    {"width": 4500, "depth": 12, "weights": "fresh"},  # they are drawn again
    {"width": 1024, "depth": 6, "batch_size": 2048, "activation": "gelu", "bias_std": 1.0},
    {
        "width": 1024,
        "depth": 6,
        "batch_size": 2048,
        "number_format": "float64",
        "init": "orthogonal",
    },
    {"width": 3000, "depth": 2, "number_format": "float16"},
    {"width": 3000, "depth": 1, "number_format": "float8_e5m2", "weights": "fresh"},
    WIDE_HIDDEN,
    WIDE_HIDDEN | {"norm": "none"},
    MLP | {"width": 2048, "depth": 3, "expansion": 8, "batch_size": 64},
    MLP | {"width": 1024, "depth": 12, "batch_size": 256, "weights": "fresh"},
    {"width": 256, "depth": 100, "norm": "layer", "batch_size": 1024, "number_format": "float16"},
]

# Imports once; every run has a process of its own, forked from there.
_PEAKS = r"""
import os, re, sys
from core import Experiment, backpropagate, propagate, sample_ensemble
run = eval(sys.argv[2])
def kib(field):
    return int(re.search(field + r":\s+(\d+)", open("/proc/self/status").read())[1])
for changes in eval(sys.argv[1]):
    if os.fork() == 0:
        run(Experiment(width=8, depth=1))
        open("/proc/self/clear_refs", "w").write("5")  # forget the peak of the imports
        before = kib("VmRSS")
        run(Experiment(**changes))
        print(kib("VmHWM") - before, flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


def peaks_of(run, experiments):
    """Bytes that each of the large runs takes at most, in their order."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAKS, repr(experiments), run],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line) * 1024 for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def peaks():
    return peaks_of("propagate", LARGE)


@pytest.fixture(scope="module")
def peaks_back():
    return peaks_of("backpropagate", THERE_AND_BACK)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("place", range(len(LARGE)), ids=[str(changes) for changes in LARGE])
def test_the_estimate_is_above_what_a_run_really_takes(peaks, place):
    taken, estimate = peaks[place], cost(Experiment(**LARGE[place])).bytes
    assert taken > 60 * 2**20  # large enough for the estimate to matter
    assert taken < 1.02 * estimate
    assert estimate < 2.5 * taken  # nor so far above that it refuses runs that fit


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("place", range(len(THERE_AND_BACK)), ids=map(str, THERE_AND_BACK))
def test_the_estimate_is_above_what_the_way_there_and_back_really_takes(peaks_back, place):
    taken, e = peaks_back[place], Experiment(**THERE_AND_BACK[place])
    estimate = memory_there_and_back(e)
    assert taken > 60 * 2**20
    assert taken < 1.02 * estimate
    assert estimate < 2.5 * taken


GRADIENTS = [
    {"width": 1024, "depth": 200, "batch_size": 64, "weights": "fresh"},
    {"width": 1024, "depth": 200, "batch_size": 64, "weights": "fresh", "activation": "tanh"},
    {"width": 2048, "depth": 1000, "weights": "fresh", "activation": "relu"},
    {"width": 256, "depth": 800, "batch_size": 32, "weights": "fresh", "init": "orthogonal"},
    {"width": 2, "depth": 600, "batch_size": 4096, "weights": "fresh"},
]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_estimate_is_above_what_gradients_of_many_networks_really_take():
    """The third is of one input, whose networks are sampled together; the last has few units."""
    several = "lambda e: sample_ensemble(e, 4, backward=True)"
    for changes, taken in zip(GRADIENTS, peaks_of(several, GRADIENTS), strict=True):
        estimate = gradients_memory(Experiment(**changes))
        assert taken > 40 * 2**20, changes
        assert taken < estimate, changes
        assert estimate < 2.5 * taken, changes


def test_gradients_of_many_networks_that_take_too_much_memory_are_refused(monkeypatch):
    e = Experiment(width=64, depth=100, batch_size=16, weights="fresh", activation="tanh")
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", str(gradients_memory(e) - 1))
    with pytest.raises(WorkLimitError, match=r"4 networks needs about \d\.\d GiB of memory"):
        sample_ensemble(e, 4, backward=True)
    assert len(sample_ensemble(e, 4).log2_rms) == 4


def test_matrices_are_kept_only_where_they_fit(monkeypatch):
    e = Experiment(width=64, depth=10, weights="fresh")
    assert kept_matrices(e) == 4 * 64 * 64 * 10
    assert kept_matrices(e.replace(number_format="float64")) == 2 * kept_matrices(e)
    assert kept_matrices(e.replace(weights="tied")) == 0
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", str(3 * memory_there_and_back(e)))
    assert kept_matrices(e) == 0


def test_the_cost_grows_with_everything_that_costs():
    base = Experiment(width=64, depth=10)
    for changes in ({"width": 128}, {"depth": 20}, {"batch_size": 8}, {"weights": "fresh"}):
        assert cost(base.replace(**changes)).multiply_adds > cost(base).multiply_adds
    for name in INITIALIZERS:
        assert cost(base.replace(init=name)).bytes >= 64 * 64 * 4
    for name in NUMBER_FORMATS:
        assert cost(base.replace(number_format=name)).bytes > 0


def test_a_host_is_busy_while_every_core_has_a_run(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    assert not threads.host_is_busy()
    with threads.single_threaded():
        assert not threads.host_is_busy()
        with threads.single_threaded():
            assert threads.host_is_busy()
    assert not threads.host_is_busy()


def test_what_calls_many_functions_for_few_numbers_is_no_quick_work():
    """A layer costs its calls, however narrow it is: all of these take seconds."""
    narrow = Experiment(width=3, depth=2000, weights="fresh", bias_std=0.1, batch_size=2)
    narrow = narrow.replace(init="truncated_normal", activation="hardtanh")
    second = 1e6 * MICROSECOND
    assert 5 * second < ensemble_work(narrow, 256) < 30 * second  # measured: 11 s
    alone = Experiment(width=1, depth=2000, weights="fresh", init="spectral")
    assert 0.05 * second < cost(alone).multiply_adds < 0.5 * second  # measured: 0.08 s
    assert ensemble_work(alone, 256) > 256 * 2000 * 20 * MICROSECOND


def test_the_work_of_an_ensemble_counts_the_networks_that_are_sampled_at_once():
    """Twice as many networks take at most twice as long, and not less time."""
    e = Experiment(width=64, depth=50, activation="relu", weights="fresh")
    for size in (1, 16, 256, 5000):
        assert ensemble_work(e, size) <= ensemble_work(e, 2 * size) <= 2 * ensemble_work(e, size)
