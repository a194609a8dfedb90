"""Where a student is in the lesson: the step, the steps done, the projector; in the link."""

from __future__ import annotations

import re

import streamlit as st

from core.lesson import STEPS, Step
from core.question.experiment import Experiment
from core.text import shown
from pages.controls import address, arrival

_STEP, _DONE, _TEACH, _COUNTS = "_lesson_step", "_lesson_done", "_lesson_teach", "_lesson_counts"
_REFUSED = "_lesson_refused"
_OWNED = ("step", "done", "teach", "repetitions")
_FIRST = next(iter(STEPS))
_BY_NUMBER = {step.number: slug for slug, step in STEPS.items()}
_LONGEST = 12  # digits
_RANGE = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?", re.ASCII)


def adopt_link() -> None:
    """Take the place from the link: once per session, and after a step back in the history."""
    if _STEP in st.session_state and not address.went_back("course"):
        return
    query = st.query_params.to_dict()
    slug, done = query.get("step", _FIRST), query.get("done", "")
    teach, count = query.get("teach", "false"), query.get("repetitions")
    problems = []
    if slug not in STEPS:
        problems.append(
            f"step must be one of {', '.join(STEPS)}, got {shown(slug)}: {_FIRST} is used"
        )
        slug = _FIRST
    if teach not in ("true", "false"):
        problems.append(f"teach must be true or false, got {shown(teach)}: false is used")
    known = _numbers(done)
    if known is None:
        problems.append(f"done must be steps such as 1-3,5, got {shown(done)}: none is used")
    step = STEPS[slug]
    counts = st.session_state.setdefault(_COUNTS, {})
    if count is not None:
        try:
            number = int(count) if len(count) <= _LONGEST else 0
            counts[slug] = step.setting(repetitions=number).repetitions
        except ValueError:
            allowed = f"a whole number from 2 to {step.most_repetitions}"
            default = f"{step.repetitions} is used"
            problems.append(f"repetitions must be {allowed}, got {shown(count)}: {default}")
    st.session_state[_STEP] = slug
    st.session_state[_DONE] = {_BY_NUMBER[number] for number in known or ()}
    st.session_state[_TEACH] = teach == "true"
    arrival.add_problems(problems)


def _numbers(text: str) -> set[int] | None:
    """The numbers of steps that "1-3,5" names; None if it names anything else."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        if not match:
            return None
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= len(STEPS):
            return None
        found |= set(range(low, high + 1))
    return found


def _as_ranges(numbers: list[int]) -> str:
    """Numbers as "1-3,5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else f"{p[0]}" for p in parts)


def write_address() -> None:
    """Write into the address where the student is."""
    step = current()
    params = {"step": step.slug} if step.slug != _FIRST else {}
    done = _as_ranges([STEPS[slug].number for slug in st.session_state[_DONE]])
    params |= {"done": done} if done else {}
    params |= {"teach": "true"} if is_teaching() else {}
    count = repetitions(step)
    params |= {"repetitions": str(count)} if count != step.repetitions else {}
    address.write(_OWNED, params)


def current() -> Step:
    """The step on screen."""
    return STEPS[st.session_state[_STEP]]


def is_done(step: Step) -> bool:
    """Whether the student has asked for the answer of a step."""
    return step.slug in st.session_state[_DONE]


def is_teaching() -> bool:
    """Whether this is the view for a projector."""
    return bool(st.session_state[_TEACH])


def repetitions(step: Step) -> int:
    """How often the step is repeated."""
    return st.session_state[_COUNTS].get(step.slug, step.repetitions)


def finish(slug: str) -> None:
    """Show the answer of a step, and count the step as done."""
    st.session_state[_DONE] |= {slug}
    address.step()


def hide(slug: str) -> None:
    """Hide the answer of a step; the step no longer counts as done."""
    st.session_state[_DONE] -= {slug}


def take_back(step: Step, experiment: Experiment, problem: str) -> None:
    """Note that a step has no answer at this size, and why: it is not done."""
    hide(step.slug)
    st.session_state[_REFUSED] = step.slug, experiment, repetitions(step), problem


def refusals(step: Step, experiment: Experiment) -> list[str]:
    """Why the step on screen had no answer, until something else is asked."""
    slug, *size, problem = st.session_state.get(_REFUSED, (None, None))
    if slug == step.slug and size == [experiment, repetitions(step)]:
        return [problem]
    st.session_state.pop(_REFUSED, None)
    return []


def go(slug: str) -> None:
    """Go to a step."""
    st.session_state[_STEP] = slug
    address.step()


def teach(on: bool) -> None:
    """Turn the view for a projector on or off."""
    st.session_state[_TEACH] = on
    address.step()


def recount(slug: str, count: int) -> None:
    """Set how often a step is repeated."""
    st.session_state[_COUNTS][slug] = count


def done() -> frozenset[str]:
    """The slugs of the steps whose answers the student has seen."""
    return frozenset(st.session_state[_DONE])


def neighbour(offset: int) -> str | None:
    """The slug of the step so many places on; None if there is none."""
    return _BY_NUMBER.get(current().number + offset)
