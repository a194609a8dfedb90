"""The buttons of the lesson: from step to step, the projector, how often a step is repeated."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from core.lesson import STEPS, Step
from pages.course import place

_FIRST = next(iter(STEPS))
_FIRST_OF_MORE = next(slug for slug, step in STEPS.items() if step.more)


def _recount(slug: str) -> None:
    place.recount(slug, st.session_state[f"repetitions_{slug}"])


def count_control(step: Step) -> None:
    """Draw the slider for the number of repetitions, if the step repeats anything."""
    if not step.repeats:
        return
    here, most = place.repetitions(step), step.most_repetitions
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


def _progress(done: Collection[str]) -> str:
    """How many steps are done, in words; those for whoever wants more are counted apart."""
    asked = [slug for slug, step in STEPS.items() if not step.more]
    more = len(STEPS) - len(asked)
    further = sum(STEPS[slug].more for slug in done)
    words = f"{len(done) - further} of {len(asked)} steps done"
    return f"{words}, and {further} of {more} more" if further else words


def contents(depth: int) -> None:
    """Draw a button for each step, with a mark on those that are done."""
    here, done = place.current().slug, place.done()
    st.html(f'<p class="gi-done">{_progress(done)}</p>')
    with st.container(gap=None, key="contents"):
        for slug, step in STEPS.items():
            if slug == _FIRST_OF_MORE:
                st.html('<p class="gi-more">For those who want more</p>')
            st.button(
                f"{step.number}. {step.at(depth).title}",
                key=f"go_{slug}",
                icon=":material/check:" if slug in done else None,
                type="primary" if slug == here else "tertiary",
                on_click=place.go,
                args=(slug,),
            )
    st.button(
        "Projector view",
        key="teach",
        icon=":material/co_present:",
        shortcut="f",
        on_click=place.teach,
        args=(True,),
    )


def onwards() -> None:
    """Draw the buttons to the step before and to the next."""
    back, on = place.neighbour(-1), place.neighbour(1)
    with st.container(horizontal=True, gap="small"):
        _step_button("Previous", "previous", back)
        _step_button("Next step", "next", on, primary=place.is_done(place.current()))


def _step_button(
    label: str, key: str, slug: str | None, *, primary: bool = False, shortcut: str | None = None
) -> None:
    st.button(
        label,
        key=key,
        type="primary" if primary else "secondary",
        disabled=slug is None,
        shortcut=shortcut,
        on_click=place.go,
        args=(slug or _FIRST,),
    )


def for_teaching() -> None:
    """Draw the buttons that a teacher needs on the projector; the arrow keys press them too.

    The key to the right shows the answer, and then goes to the next step.
    """
    slug = place.current().slug
    is_shown = place.is_done(place.current())
    with st.container(horizontal=True, gap="small", key="teaching"):
        _step_button("Previous", "previous", place.neighbour(-1), shortcut="left")
        st.button(
            "Hide the answer" if is_shown else "Show the answer",
            key="reveal",
            type="secondary" if is_shown else "primary",
            shortcut=None if is_shown else "right",
            on_click=place.hide if is_shown else place.finish,
            args=(slug,),
        )
        _step_button(
            "Next step", "next", place.neighbour(1), shortcut="right" if is_shown else None
        )
        st.button(
            "Leave the projector view",
            key="teach",
            type="tertiary",
            shortcut="f",
            on_click=place.teach,
            args=(False,),
        )
