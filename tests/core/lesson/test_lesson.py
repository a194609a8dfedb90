"""Every exercise of the lesson: against theory over many seeds, its snippet, what was printed."""

import dataclasses
import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from core import ACTIVATIONS, INITIALIZERS, Experiment, backpropagate, propagate
from core.host.limits import WorkLimitError
from core.lesson import (
    AGREES_WITHIN,
    DEPTH,
    SIZES,
    STEPS,
    Guess,
    Number,
    Setting,
    check,
    task,
    within_sizes,
)
from core.lesson.__main__ import main
from core.lesson.checks import first_failures
from core.lesson.networks import one_matrix_each
from core.simulation.propagate import draw_layer
from core.simulation.script import to_script
from core.theory.mean_field import profile

SMALL = {"n": 64, "depth": 40}
SEEDS = range(12)
COUNTS = {
    "first-nan": 120,
    "smaller-weights": 20,
    "magic-number": 60,
    "redraw": 200,
    "one-product": 40_000,
    "one-product-relu": 40_000,
    "layer-relu": 200,
    "whole-network": 200,
    "branch-scale": 200,
    "norm-place": 100,
}


@pytest.fixture(scope="module")
def lesson():
    """The lesson's own size, once."""
    return {slug: step.measure() for slug, step in STEPS.items()}


def measured(step, seed):
    return step.measure(step.setting(seed=seed, repetitions=COUNTS.get(step.slug), **SMALL))


@pytest.fixture(scope="module")
def small():
    """Every step at a small size, with each of the seeds."""
    return {slug: [measured(step, seed) for seed in SEEDS] for slug, step in STEPS.items()}


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_steps_are_numbered_in_order_and_say_what_they_ask():
    assert [step.number for step in STEPS.values()] == list(range(1, 17))
    assert [step.number for step in STEPS.values() if step.more] == [14, 15, 16]
    for slug, step in STEPS.items():
        assert step.slug == slug and step.title and step.question.endswith("?")
        assert step.guess.prompt.endswith("?") and len(step.question) < 200
        assert (step.guess.kind == "choice") == bool(step.guess.options)


def test_a_step_asks_at_the_depth_at_which_it_is_judged():
    for step in STEPS.values():
        assert step.at(100) == step
        for depth in (1, 20):
            at = step.at(depth)
            said = f"{at.title} {at.question} {at.guess.prompt}"
            assert "100" not in said and "a hundred" not in said and " 1 products" not in said
    assert STEPS["products"].at(20).title == "20 products"
    assert STEPS["products"].at(1).question.endswith("after 1 product?")
    for slug in ("whole-network", "way-back", "norm-place"):
        assert "20 layers" in STEPS[slug].at(20).question
    for slug in ("products", "first-nan", "smaller-weights", "magic-number"):
        assert "20 products" in STEPS[slug].at(20).question


# Rows whose exact value is a limit of large width, and how far n = 64 may be from it, relative.
LIMITS = {"with ReLU": 2 / 64, "spectral normalisation": 0.1, "their difference": 0.0}


def allowed(label):
    return next((bias for part, bias in LIMITS.items() if part in label), 0.0)


def distance(number):
    """How many standard errors it is from theory, beyond what its limit of large width allows."""
    bias = allowed(number.label) * abs(number.exact)
    if number.factor or number.standard_error is None or not bias > 0:
        return abs(number.deviation)
    return max(0.0, abs(number.measured - number.exact) - bias) / number.standard_error


@pytest.mark.parametrize("slug", STEPS)
def test_numbers_agree_with_theory_over_many_seeds(slug, lesson, small):
    """Six standard errors: 1000 comparisons of normal numbers would fail with probability 2e-6.

    The averages here have longer tails than that, and six instead of five leaves room for them.
    """
    for result in [*small[slug], lesson[slug]]:
        for number in result.numbers:
            if number.deviation is not None:
                assert distance(number) < 6, (result.setting, number)


@pytest.mark.parametrize("slug", ["redraw", "one-product", "one-product-relu", "layer-relu"])
def test_standard_errors_are_as_large_as_the_scatter(slug, small):
    """If they are right, mean z² over the rows and 12 seeds is about 1; the rows are correlated."""
    z = [
        number.deviation
        for result in small[slug]
        for number in result.numbers
        if number.standard_error and number.deviation is not None
    ]
    assert 0.4 < np.mean(np.square(z)) < 2.2


def test_what_the_lesson_printed_is_classified_by_its_own_standard_error(lesson):
    """Rule: a printed number agrees if it is within four of the standard errors of what was done.

    All agree but one: the square of a sum where the square of an average was meant.
    """
    printed = [n for result in lesson.values() for n in result.numbers if n.lesson is not None]
    assert len(printed) >= 22 and AGREES_WITHIN == 4
    for number in printed:
        within = number.z is not None and abs(number.z) <= 4
        assert number.verdict == ("agrees" if within else "slip")
    assert [number.lesson for number in printed if number.verdict == "slip"] == [5_117_677.0]


def test_what_the_lesson_printed_stands_only_beside_its_own_size(small):
    for slug in ("products", "smaller-weights", "magic-number", "redraw", "layer-relu"):
        assert all(number.verdict == "" for number in small[slug][0].numbers)


@pytest.mark.parametrize("size", ["lesson", "small"])
@pytest.mark.parametrize("slug", STEPS)
def test_every_snippet_runs_and_gives_the_steps_numbers(slug, size, lesson, small):
    result = lesson[slug] if size == "lesson" else small[slug][0]
    names = {}
    with warnings.catch_warnings():  # the snippet of a lone std switches them off itself
        exec(STEPS[slug].snippet(result.setting), names)
    assert result.outputs
    for name, expected in result.outputs.items():
        if isinstance(expected, str):
            assert names[name] == expected
            continue
        # The same draws; a factor that is rounded elsewhere, or sums in another order, may move
        # the last float32 digits, and a hundred products make more of that.
        np.testing.assert_allclose(float(names[name]), expected, rtol=1e-3, atol=2e-6)


@pytest.mark.parametrize("slug", STEPS)
def test_the_right_answer_is_among_the_options_or_a_number(slug, lesson):
    guess, right = STEPS[slug].guess, lesson[slug].right
    assert guess.accepts(right, right)
    if guess.kind == "choice":
        assert sum(guess.accepts(option, right) for option in guess.options) == 1
        with pytest.raises(ValueError, match="guess must be one of"):
            guess.accepts("no such option", right)
    else:
        assert not guess.accepts(1e9, right)
        with pytest.raises(ValueError, match="guess must be a number"):
            guess.accepts(math.nan, right)


def test_a_number_is_judged_by_its_ratio_or_its_difference():
    ratio = Guess("?", "number", judged="ratio", tolerance=2)
    assert ratio.accepts(5, 10) and ratio.accepts(20, 10) and not ratio.accepts(4.9, 10)
    assert not ratio.accepts(-10, 10) and not ratio.accepts(0, 10)
    difference = Guess("?", "number", judged="difference", tolerance=2)
    assert difference.accepts(26, 28) and not difference.accepts(25, 28)


def test_the_right_answers_are_those_of_the_lesson(lesson):
    assert lesson["products"].right == "NaN" and lesson["not-equal"].right == "False"
    assert lesson["first-nan"].right == 27 and lesson["strategies"].right == "√n"
    assert lesson["smaller-weights"].right == "it becomes exactly 0"
    assert lesson["one-product"].right == "NaN" and lesson["whole-network"].right == "Kaiming"
    assert lesson["way-back"].right == "√(2/n)"
    assert lesson["layer-relu"].right == pytest.approx(0.5642, abs=1e-4)
    assert lesson["magic-number"].right > 10


def test_1_76_and_0_77_are_in_the_range_of_nine_runs_in_ten(lesson):
    _, low, _, high, *_ = lesson["magic-number"].numbers
    assert low.exact < 0.77 < 1.7586 < high.exact
    assert any("1.76 is ordinary" in sentence.text for sentence in lesson["magic-number"].answer)


@pytest.mark.parametrize("slug", STEPS)
def test_explore_opens_the_steps_own_network(slug, lesson):
    e = STEPS[slug].explore(lesson[slug].setting)
    assert Experiment.from_query(e.to_query()) == (e, [])
    assert e.seed == lesson[slug].setting.seed


@pytest.mark.parametrize("slug", STEPS)
def test_a_step_is_a_pure_function_of_its_size(slug, small):
    one, other = small[slug][3], measured(STEPS[slug], seed=3)
    assert repr(one.numbers) == repr(other.numbers) and one.answer == other.answer
    np.testing.assert_equal(dict(one.outputs), dict(other.outputs))


@pytest.mark.parametrize("slug", STEPS)
@pytest.mark.parametrize("n, depth", [(2, 1), (3, 5), (100, 7), (2, 1000)])
def test_every_size_that_is_allowed_has_an_answer(slug, n, depth):
    step = STEPS[slug]
    seen = []
    setting = step.setting(n, depth, 1, min(5, step.most_repetitions))
    result = step.measure(setting, seen.append)
    assert result.numbers and result.answer and step.guess.accepts(result.right, result.right)
    assert seen == sorted(seen) and (not seen or seen[-1] == pytest.approx(1))
    assert all(np.isfinite(counts.values).all() for counts in result.counts)


def test_a_power_beyond_any_float_is_written_out():
    step = STEPS["smaller-weights"]
    formula = step.measure(step.setting(1024, 620, repetitions=2)).answer[0].formula
    # log10 of (0.1·√1024)^620 = 3.2^620 is 313.19.
    assert formula.endswith(r"3.2^{620} = 1.6\times 10^{313}")


def test_a_law_is_told_only_where_it_holds():
    step = STEPS["magic-number"]
    for depth, known in ((7, True), (8, False)):  # exact while depth < n
        answer = step.measure(step.setting(8, depth)).answer
        assert any("worked out exactly" in sentence.text for sentence in answer) == known


@pytest.mark.parametrize(
    "field, value",
    [("n", 1), ("n", 2000), ("depth", 0), ("seed", -1), ("repetitions", 1), ("n", 3.5)],
)
def test_a_size_that_is_not_allowed_is_named(field, value):
    with pytest.raises(ValueError, match=f"{field} must be a whole number from .* got {value}"):
        Setting(**{field: value})


def test_the_lessons_sizes_are_those_that_every_step_accepts():
    for name, parameter in SIZES.items():
        for value in (parameter.minimum, parameter.maximum, *parameter.stops):
            assert Setting(**{"n" if name == "width" else name: value})
    assert SIZES["width"].stops[-1] == 1024 and SIZES["width"].stops[0] == 2
    assert within_sizes(Experiment(width=1024)) == (Experiment(width=1024), [])
    fitted, problems = within_sizes(Experiment(width=2048, depth=1500, seed=3))
    assert fitted == Experiment(seed=3)
    assert problems == [
        "width must be a whole number from 2 to 1024 in the lesson, got 2048: 512 is used",
        "depth must be a whole number from 1 to 1000 in the lesson, got 1500: 100 is used",
    ]


def test_more_repetitions_than_a_step_can_do_are_refused():
    with pytest.raises(ValueError, match=r"repetitions must be .* to 2000 in step 2, got 2001"):
        STEPS["first-nan"].setting(repetitions=2001)


def test_networks_are_the_experiments_of_neighbouring_seeds():
    e = Experiment(width=48, depth=6, scale=0.2, seed=2**63 - 2)
    batches = one_matrix_each(e, 3, lambda done: None)
    found = [(each.places.start, list(each.layers)) for each in batches]
    for place, layers in found:
        for row in range(len(layers[0])):
            seed = (e.seed + place + row) % 2**63
            run = propagate(e.replace(seed=seed))
            # float32 sums in another order: a few roundings of 48 terms, six times over.
            np.testing.assert_allclose(layers[-1][row], run.final, rtol=1e-3, atol=1e-5)
            assert draw_layer(e.replace(seed=seed), 1, torch.device("cpu"))[0].std() > 0


def test_the_checks_find_what_propagate_finds():
    setting = Setting(depth=31, repetitions=12)
    std, mean, wide, elements = first_failures(setting, lambda done: None)
    for place in range(12):
        events = propagate(setting.experiment().replace(seed=place)).events
        assert (std[place], mean[place]) == (events.notebook_std_nan, events.notebook_mean_nan)
        assert elements[place] == wide[place] == events.first_nonfinite


def test_27_and_28_are_explained_by_many_draws(lesson):
    result = lesson["first-nan"]
    std, _, wide, elements = (counts.counts for counts in result.counts)
    assert all(counts.counts.sum() == 500 for counts in result.counts)
    at = dict(zip(result.counts[0].values, range(len(std)), strict=True))
    assert std[at[28.0]] < 25 < wide[at[28.0]]  # float32's std stops before it, float64's does not
    assert (wide == elements).all()


def test_the_average_of_a_hundred_samples_explains_the_lessons_noise(lesson):
    (counts,) = lesson["one-product-relu"].counts
    below = counts.counts[counts.values < 0.3445].sum() / counts.counts.sum()
    assert 0.02 < below < 0.4  # neither rare nor typical


def test_nan_beside_nan_agrees_and_beside_a_number_never():
    nan = math.nan
    assert Number(label="", measured=nan, exact=nan, lesson=nan).verdict == "agrees"
    assert Number(label="", measured=1, exact=1, lesson=nan, lesson_error=9).verdict == "slip"
    assert Number(label="", measured=1, lesson=5, lesson_error=1).verdict == "agrees"
    assert Number(label="", measured=1, lesson=5.1, lesson_error=1).verdict == "slip"
    factor = Number(label="", measured=1, exact=1, lesson=16, lesson_error=2, factor=True)
    assert factor.z == pytest.approx(4) and factor.verdict == "agrees"
    assert dataclasses.replace(factor, lesson=17).verdict == "slip"


def test_the_gradient_of_the_last_step_is_that_of_backpropagate_and_mirrors_the_signal(lesson):
    curves = lesson["way-back"].curves
    assert [curve.goes_back for curve in curves] == [False, True] * 3
    for there, back in zip(curves[::2], curves[1::2], strict=True):
        assert there.label.split(", ")[1] == back.label.split(", ")[1]
    back = backpropagate(STEPS["way-back"].explore(Setting()))
    np.testing.assert_array_equal(curves[2].log2_size, back.run.stats.log2_rms)
    np.testing.assert_array_equal(curves[3].log2_size, back.stats.log2_rms)
    # Both lose half an octave a layer with 1/√n: in a square layer the factors are the same. Over
    # 100 layers of n = 512 the std of either is 1.45·√(5·100/512)/2 = 0.72 octaves.
    there, back = curves[0].log2_size, curves[1].log2_size
    assert there[-1] - there[0] == pytest.approx(-50, abs=5 * 0.72)
    assert back[0] - back[-1] == pytest.approx(-50, abs=5 * 0.72)


def test_a_gradient_that_breaks_is_told_by_its_layer_and_has_no_band_there(lesson):
    broken = lesson["way-back"].numbers[2]
    assert broken.measured == 71 and "not finite" in broken.label and broken.exact is None
    raw = lesson["way-back"].curves[5]
    assert np.isfinite(raw.low[72:]).all() and np.isnan(raw.low[:72]).all()


GOOD = {"linear": 512**-0.5, "relu": (2 / 512) ** 0.5, "tanh": 2 * 512**-0.5}


@pytest.mark.parametrize("activation", GOOD)
def test_a_good_scale_factor_holds_for_two_hundred_layers(activation):
    outcome = check(propagate(task(activation, GOOD[activation])))
    assert outcome.holds and outcome.kind == "holds" and outcome.sentence.startswith("It holds")


@pytest.mark.parametrize("scale, chaotic", [(0.0445, False), (0.07, True), (2.0, True)])
def test_a_bounded_activation_holds_at_any_large_scale_and_is_told_what_that_costs(scale, chaotic):
    outcome = check(propagate(task("tanh", scale)))
    assert outcome.holds and ("But it is chaotic" in outcome.sentence) == chaotic


@pytest.mark.parametrize(
    "scale, words", [(1.0, "too large"), (0.07, "too large"), (0.05, "too small")]
)
def test_a_bad_one_does_not_and_a_hint_says_which_way(scale, words):
    outcome = check(propagate(task("relu", scale)))
    assert not outcome.holds and outcome.sentence.endswith(f"{words}.")


def test_a_shallow_or_a_narrow_network_does_not_do():
    good = task("relu", GOOD["relu"])
    assert f"but {DEPTH} are asked" in check(propagate(good.replace(depth=50))).sentence
    narrow = Experiment(width=8, depth=DEPTH, init="orthogonal", weights="fresh")
    outcome = check(propagate(narrow))
    assert not outcome.holds and "at least 64" in outcome.sentence


def test_a_task_for_every_activation_and_none_for_another():
    assert {task(name).activation for name in ACTIVATIONS} == set(ACTIVATIONS)
    with pytest.raises(ValueError, match="activation must be one of"):
        task("nothing")


def test_the_table_prints_every_exercise(capsys):
    assert main(["-n", "64", "--depth", "20", "--answers"]) == 0
    out = capsys.readouterr().out
    assert [f"{step.number}. {step.at(20).title}" in out for step in STEPS.values()] == [True] * 16
    assert main(["-n", "1"]) == 2
    assert "n must be a whole number from 2 to 1024, got 1" in capsys.readouterr().err


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "core.lesson", "--help"], capture_output=True, text=True, check=True
    )
    assert "measured ± standard error" in done.stdout


def test_the_strategies_are_registered_initialisers_with_scripts():
    for init in ("xavier_normal", "orthogonal", "spectral", "lsuv"):
        assert init in INITIALIZERS
        assert "torch.randn" in to_script(Experiment(init=init))


@pytest.mark.parametrize("n", [2, 8, 32])
def test_a_narrow_layers_numbers_are_exact_too_and_not_only_in_the_limit(n):
    step = STEPS["layer-relu"]
    result = step.measure(step.setting(n=n, depth=5, repetitions=2000))
    # Three widths of nine numbers, six of them independent at most: 4 is one in 1000 for all.
    assert all(abs(number.deviation) < 4 for number in result.numbers)


def test_networks_beyond_the_hosts_limit_are_refused(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e6")
    step = STEPS["magic-number"]
    with pytest.raises(WorkLimitError, match="lower width, depth"):
        step.measure(step.setting(n=64, depth=50))


def test_branches_double_the_second_moment_and_one_over_root_2l_holds_it_at_every_depth(lesson):
    plain, scaled = lesson["branch-scale"].numbers
    # The median of 200 networks is within 6 of its standard errors of the law of its width, which
    # for α = 1 is 0.6 octaves below √2 per layer, by the spread of networks.
    assert math.log2(plain.measured) == pytest.approx(25, abs=1.5)
    assert scaled.measured == pytest.approx(1.645**0.5, rel=0.05)
    for depth in (1, 10, 1000):
        e = Experiment(depth=depth, init="kaiming_normal", activation="relu", skip="identity")
        e = e.replace(branch="preactivation", branch_scale=(1 / (2 * depth)) ** 0.5)
        moment = profile(e).second_moment[-1]
        assert moment == pytest.approx((1 + 1 / (2 * depth)) ** depth, rel=1e-9)
        assert 1.5 - 1e-9 <= moment < math.e**0.5
    assert lesson["branch-scale"].right == "it grows by √2 at each layer"


def formulas(result):
    return " ".join(sentence.formula for sentence in result.answer)


def said(result):
    return " ".join(sentence.text for sentence in result.answer)


def test_what_ten_layers_more_do_and_what_a_norm_in_front_does_is_theory_at_once(lesson):
    assert "ten layers more make the rms 32 times as large" in said(lesson["branch-scale"])
    e = Experiment(width=128, depth=50, init="kaiming_normal", activation="relu", weights="fresh")
    e = e.replace(branch="preactivation", skip="identity", norm="layer", norm_place="before")
    # √51 to the three digits that are written; the norm's ε moves it by 1e-5 at most.
    assert 2 ** profile(e).log2_rms[-1] == pytest.approx(51**0.5, rel=1e-4)
    assert r"\alpha^2} = 7.14" in formulas(lesson["branch-scale"])


def test_a_batch_norm_hides_the_scale_and_its_gradient_grows_as_theory_says(lesson):
    result = lesson["batch-norm"]
    *sizes, growth = result.numbers
    # ε is 1e-5, and the variance at the least scale 0.5: it moves each norm by 1e-5 at most, and
    # the chaos of fifty layers makes more of that.
    for size in sizes:
        assert size.measured == pytest.approx(sizes[0].measured, rel=0.01)
        assert size.measured == pytest.approx(0.5**0.5, rel=0.06)
    assert growth.exact == pytest.approx(1.493, abs=1e-3)
    assert growth.measured == pytest.approx(1.493, rel=0.03)
    e = STEPS["batch-norm"].explore(Setting()).replace(batch_size=4096)
    steps = -np.diff(profile(e).log2_gradient_rms)
    assert 4 ** steps[25] == pytest.approx(math.pi / (math.pi - 1), rel=1e-3)
    assert result.right == "it grows"


def test_the_spread_of_the_last_rms_behind_a_batch_norm_is_that_of_networks():
    """Mean z² of 60 networks is 1 with a standard error of √(2/60) = 0.18: four of them."""
    step = STEPS["batch-norm"]
    for depth in (5, 10):
        settings = [step.setting(64, depth, seed, 2) for seed in range(60)]
        z = [step.measure(setting).numbers[0].deviation for setting in settings]
        assert np.mean(np.square(z)) == pytest.approx(1, abs=0.75)
        assert np.mean(z) == pytest.approx(0, abs=4 / 60**0.5)


def test_a_power_overtakes_the_root_at_the_depth_that_is_told(lesson):
    assert "behind the sum from 17 layers on" in said(lesson["norm-place"])
    for depth, behind in ((16, False), (17, True)):
        e = STEPS["norm-place"].explore(Setting(depth=depth))
        before = e.replace(norm_place="before", branch="preactivation")
        arrives = [profile(each).log2_gradient_rms[0] for each in (before, e)]
        assert (arrives[1] > arrives[0]) == behind
    # With the networks of the step: far from that depth on both sides.
    for depth, right in ((8, "in front of the branch"), (40, "behind the sum")):
        step = STEPS["norm-place"]
        assert step.measure(step.setting(256, depth, repetitions=50)).right == right


def test_pre_norm_grows_as_a_root_and_post_norm_by_a_factor_per_layer(lesson):
    stream, before, behind = lesson["norm-place"].numbers
    # Medians of 100 networks: relative standard errors of 1, 3 and 8 %.
    assert stream.measured == pytest.approx(51**0.5, rel=0.05)
    assert before.measured == pytest.approx(51**0.5, rel=0.12)
    factor = 2 / (2 - 1 / math.pi)
    assert factor == pytest.approx(1.189, abs=5e-4)
    assert behind.measured ** (2 / 50) == pytest.approx(factor, rel=0.02)
    e = STEPS["norm-place"].explore(Setting())
    theory = 4 ** -np.diff(profile(e).log2_gradient_rms)
    np.testing.assert_allclose(theory[1:], factor, rtol=1e-4)
    k = np.arange(51)
    e = e.replace(norm_place="before", branch="preactivation")
    typical = profile(e)
    np.testing.assert_allclose(typical.second_moment, 1 + k, rtol=1e-4)
    np.testing.assert_allclose(4**typical.log2_gradient_rms, 51 / (1 + k), rtol=1e-4)
    assert lesson["norm-place"].right == "behind the sum"


@pytest.mark.parametrize(
    "slug, n", [("branch-scale", 128), ("batch-norm", 128), ("norm-place", 256)]
)
def test_a_step_with_sizes_of_its_own_says_so(slug, n, lesson):
    step = STEPS[slug]
    assert f"measured at n = {n} with 50 layers: of the sizes" in said(lesson[slug])
    assert slug == "batch-norm" or "50 layers" in lesson[slug].in_short  # a factor has no depth
    assert said(lesson[slug]).count("the nearest to n = 512 with 100 layers.") == 1
    e = step.explore(Setting())
    assert (e.width, e.depth) == (n, 50)
    small = step.measure(step.setting(n=64, depth=40))
    assert "measured at n = 64 with 40 layers." in said(small)
    least = step.measure(step.setting(n=2, depth=1))
    assert "measured at n = 64 with 5 layers: of the sizes" in said(least)
    assert said(least).count("the nearest to n = 2 with 1 layer.") == 1


@pytest.mark.parametrize("n", [2, 64, 512])
@pytest.mark.parametrize("depth", [1, 20, 100])
def test_the_answers_of_the_last_steps_are_those_that_their_sentences_tell(n, depth):
    for seed in range(3):
        results = {
            slug: STEPS[slug].measure(STEPS[slug].setting(n, depth, seed))
            for slug in ("branch-scale", "batch-norm", "norm-place")
        }
        assert results["branch-scale"].right == "it grows by √2 at each layer"
        assert results["batch-norm"].right == "it grows"
        *_, behind = results["norm-place"].numbers
        assert behind.measured > 1  # "grows by a factor"
