"""Every exercise as a table: ``python -m core.lesson``."""

from __future__ import annotations

import argparse
import sys
import time

from ..reading.number import exact_text, lesson_text, measured_text
from . import AGREES_WITHIN, STEPS, Number, Result, Step
from .setting import LESSON_DEPTH, LESSON_N

_HEAD = ("", "measured", "exact", "the notebook", "z", "")


def _row(number: Number) -> tuple[str, ...]:
    z = "" if number.z is None else f"{number.z:+.2g}"
    return (
        number.label.replace("`", ""),
        measured_text(number),
        exact_text(number),
        lesson_text(number),
        z,
        number.verdict,
    )


def table(step: Step, result: Result, seconds: float) -> str:
    """A step's numbers, aligned."""
    rows = [_HEAD, *(_row(number) for number in result.numbers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [f"{step.number}. {step.title} ({seconds:.1f} s)"]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("   " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Every exercise of the lesson: measured ± standard error, the exact value, "
        "what the original notebook printed, and by how many of its own standard errors z that "
        f"differs: more than {AGREES_WITHIN:g} is a slip. Beside a single draw the spread of draws "
        "stands with the exact value.",
    )
    parser.add_argument("-n", type=int, default=LESSON_N, help="width, 2 to 1024; default 512")
    parser.add_argument("--depth", type=int, default=LESSON_DEPTH, help="products; default 100")
    parser.add_argument("--seed", type=int, default=0, help="default 0")
    parser.add_argument("--answers", action="store_true", help="with the answers in words")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Do all exercises; 2 and a message on stderr for a size that is not accepted."""
    options = _parser().parse_args(arguments)
    for step in STEPS.values():
        try:
            setting = step.setting(options.n, options.depth, options.seed)
        except ValueError as error:
            print(f"python -m {__package__}: {error}", file=sys.stderr)
            return 2
        start = time.perf_counter()
        result = step.measure(setting)
        print(table(step.at(options.depth), result, time.perf_counter() - start), end="\n\n")
        if options.answers:
            words = "\n".join(f"   {sentence.text}" for sentence in result.answer)
            print(words, end="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
