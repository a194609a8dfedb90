"""Why torch's own x.mean() and x.std() may fail while every element of x is still finite."""

from __future__ import annotations

from ..simulation.propagate import Run
from ..statistics.layer_stats import EVENTS


def torch_notes(run: Run) -> tuple[str, ...]:
    """A sentence for each of torch's statistics that fails before the elements do."""
    e = run.experiment
    if e.is_single_number:
        return ("x.std() of a single number is 0/0 = NaN: an unbiased std divides by N − 1 = 0.",)
    broken = run.events.first_nonfinite
    end = e.depth if broken is None else broken
    mean, mean_value = _failure(run, "mean")
    std, std_value = _failure(run, "std")
    notes = []
    if mean < end:
        notes.append(_mean_note(run, mean, mean_value, std_value if std == mean else ""))
    if std < min(end, mean):
        notes.append(
            f"From i = {std} torch's x.std() is Inf although every element and their mean are "
            "still finite: a std squares, so it overflows at half the exponent. The check "
            "x.std() == x.std() does not see it: Inf equals itself."
        )
    return tuple(notes)


def _failure(run: Run, statistic: str) -> tuple[int, str]:
    """The first i at which torch's x.mean() or x.std() fails, and its value: "NaN" or "Inf".

    If it never fails, i is the depth.
    """
    found = [(run.experiment.depth, "")]
    for name, event in EVENTS.items():
        index = getattr(run.events, name)
        if event.printed and event.printed.statistic == statistic and index is not None:
            found.append((index, event.printed.value))
    return min(found)


def _mean_note(run: Run, index: int, value: str, std_value: str) -> str:
    """Why x.mean() fails at an index; ``std_value`` is that of x.std() if it fails there too."""
    also = f" and x.std(), which subtracts that mean, is {std_value}" if std_value else ""
    sums = "float64" if run.experiment.number_format == "float64" else "float32"
    unseen = ""
    if value == "Inf":
        unseen = " The check x.mean() == x.mean() does not see it: Inf equals itself."
    return (
        f"At i = {index} torch's x.mean() is {value}{also}, although every element is still "
        f"finite. A mean adds all elements up first, and in {sums} that sum runs out of range "
        f"before the elements do.{unseen}"
    )
