"""Where a student is in the lesson: the step, the steps done, the projector; in the link."""

from __future__ import annotations

import re

import streamlit as st

from core.lesson import STEPS, Step
from core.question.experiment import Experiment
from core.text import shown
from pages.controls import address, arrival

_STEP, _DONE, _TEACH, _COUNTS = "_lesson_step", "_lesson_done", "_lesson_teach", "_lesson_counts"
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


def write_address(experiment: Experiment) -> None:
    """Write into the address where the student is."""
    step = current()
    params = {"step": step.slug} if step.slug != _FIRST else {}
    done = _as_ranges([STEPS[slug].number for slug in st.session_state[_DONE]])
    params |= {"done": done} if done else {}
    params |= {"teach": "true"} if is_teaching() else {}
    count = repetitions(step)
    params |= {"repetitions": str(count)} if count != step.repetitions else {}
    address.write(_OWNED, params, experiment.to_query())


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


def _hide(slug: str) -> None:
    st.session_state[_DONE] -= {slug}


def _go(slug: str) -> None:
    st.session_state[_STEP] = slug
    address.step()


def _teach(on: bool) -> None:
    st.session_state[_TEACH] = on
    address.step()


def _recount(slug: str) -> None:
    st.session_state[_COUNTS][slug] = st.session_state[f"repetitions_{slug}"]


def count_control(step: Step) -> None:
    """Draw the slider for the number of repetitions, if the step repeats anything."""
    if not step.repeats:
        return
    here, most = repetitions(step), step.most_repetitions
    stops = {k * 10**power for power in range(1, 8) for k in (1, 2, 5)}
    options = sorted({stop for stop in stops if stop <= most} | {here, step.repetitions, most})
    st.select_slider(
        f"How many {step.repeats}",
        options,
        value=here,
        key=f"repetitions_{step.slug}",
        format_func=lambda count: f"{count:,}",
        on_change=_recount,
        args=(step.slug,),
    )


def contents() -> None:
    """Draw a button for each step, with a mark on those that are done."""
    here, done = current().slug, st.session_state[_DONE]
    st.html(f'<p class="gi-done">{len(done)} of {len(STEPS)} steps done</p>')
    with st.container(gap=None, key="contents"):
        for slug, step in STEPS.items():
            st.button(
                f"{step.number}. {step.title}",
                key=f"go_{slug}",
                icon=":material/check:" if slug in done else None,
                type="primary" if slug == here else "tertiary",
                on_click=_go,
                args=(slug,),
            )
    st.button(
        "Projector view", key="teach", icon=":material/co_present:", on_click=_teach, args=(True,)
    )


def _neighbour(offset: int) -> str | None:
    return _BY_NUMBER.get(current().number + offset)


def onwards() -> None:
    """Draw the buttons to the step before and to the next."""
    back, on = _neighbour(-1), _neighbour(1)
    with st.container(horizontal=True, gap="small"):
        _step_button("Previous", "previous", back)
        _step_button("Next step", "next", on, primary=is_done(current()))


def _step_button(label: str, key: str, slug: str | None, *, primary: bool = False) -> None:
    st.button(
        label,
        key=key,
        type="primary" if primary else "secondary",
        disabled=slug is None,
        on_click=_go,
        args=(slug or _FIRST,),
    )


def teaching_controls() -> None:
    """Draw the buttons that a teacher needs on the projector."""
    slug = current().slug
    shown_now = is_done(current())
    with st.container(horizontal=True, gap="small", key="teaching"):
        _step_button("Previous", "previous", _neighbour(-1))
        st.button(
            "Hide the answer" if shown_now else "Show the answer",
            key="reveal",
            type="secondary" if shown_now else "primary",
            on_click=_hide if shown_now else finish,
            args=(slug,),
        )
        _step_button("Next step", "next", _neighbour(1))
        st.button(
            "Leave the projector view", key="teach", type="tertiary", on_click=_teach, args=(False,)
        )
