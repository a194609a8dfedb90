"""One experiment in several number formats: measured beside predicted, in table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..layer.number_formats import NUMBER_FORMATS
from ..simulation.propagate import Run
from ..text import significant
from ..theory.finite_width import Prediction
from .diagnosis import breaks_as, stuck_share
from .expectation import in_words


@dataclass(frozen=True)
class FormatRow:
    """A number format and the fate of the signal in it, as text.

    Attributes:
        name: registry key.
        range: smallest subnormal to largest value.
        overflow: the measured loop index of the first element that is not finite.
        overflow_predicted: its law, or "no law".
        all_zero: the measured loop index at which every element is zero.
        all_zero_predicted: its law, or "no law".
        saturated: the share of the last layer's elements at the format's largest value.
        reason: why there is no law; empty if there is one.
    """

    name: str
    range: tuple[str, str]
    overflow: str
    overflow_predicted: str
    all_zero: str
    all_zero_predicted: str
    saturated: str
    reason: str


def format_row(run: Run, prediction: Prediction) -> FormatRow:
    """The row of one run and of its prediction."""
    number_format = NUMBER_FORMATS[run.experiment.number_format]
    events = run.events
    overflow = "none" if events.first_nonfinite is None else f"{events.first_nonfinite}"
    if breaks_as(run) == "Inf":
        overflow += " (Inf)"
    if not number_format.infinity and run.stats.saturated.any():
        overflow = "none: it sticks"
    known = prediction.known
    saturated = "–" if number_format.infinity else f"{100 * stuck_share(run)[-1]:.0f} %"
    return FormatRow(
        name=number_format.name,
        range=(significant(number_format.smallest_subnormal), significant(number_format.max)),
        overflow=overflow,
        overflow_predicted=in_words(prediction.overflow_pmf) if known else "no law",
        all_zero="none" if events.all_zero is None else str(events.all_zero),
        all_zero_predicted=in_words(prediction.all_zero_pmf) if known else "no law",
        saturated=saturated,
        reason="" if known else prediction.valid,
    )


def eight_bits(runs: Mapping[str, Run]) -> str:
    """What happened at the largest value of the 8-bit formats, a sentence for each."""
    words = []
    for name, run in runs.items():
        number_format = NUMBER_FORMATS[name]
        if not number_format.is_coarse:
            continue
        end = significant(number_format.max)
        if number_format.infinity:
            broken = run.events.first_nonfinite
            here = "but here none does" if broken is None else f"here first at i = {broken}"
            words.append(f"{name} has Inf: a value that exceeds {end} is lost, {here}.")
        else:
            words.append(
                f"{name} has no Inf: a value that exceeds {end} sticks at {end} and never becomes "
                f"NaN, here {100 * stuck_share(run)[-1]:.0f} % of the last layer's elements other "
                "than zero. A stuck signal looks calm, but it has forgotten the input's size."
            )
    return " ".join(words)
