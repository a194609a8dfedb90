"""Share: the link of a view, its QR code, and a choice of what a class sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from core.question.experiment import Experiment
from pages.controls import links
from pages.exploring import class_view
from pages.exploring.class_view import ANSWERS, CONTROLS, ClassView
from pages.poll import ask
from pages.words import qr


def button(experiment: Experiment, beside: Mapping[str, str]) -> None:
    """Draw the button that opens the dialog.

    Args:
        experiment: on screen.
        beside: the other parameters of the view's link.
    """
    if st.button("Share", key="share", icon=":material/qr_code:", width="stretch"):
        _dialog(experiment, dict(beside))


@st.dialog("Share this view", width="large")
def _dialog(experiment: Experiment, beside: dict[str, str]) -> None:
    left, right = st.columns(2, gap="medium")
    with right:
        view = _choices()
    link = links.link_to(experiment, beside | view.to_query(), brief=True)
    with left:
        qr.show(link)
    with right:
        st.code(link, language=None, wrap_lines=True)
        with st.expander("Embed it in a course page"):
            st.code(embedded(link), language="html", wrap_lines=True)
        ask.button(experiment)


def _seen(label: str, names: Mapping[str, str], key: str) -> list[str]:
    """Draw a choice of what the class sees; it starts with what is on screen."""
    here = class_view.current()
    return st.pills(
        label,
        list(names),
        selection_mode="multi",
        default=[name for name in names if here.shows(name)],
        format_func=names.__getitem__,
        key=key,
    )


def _choices() -> ClassView:
    controls = _seen(
        "What students may change (the rest is fixed by the link)", CONTROLS, "share_controls"
    )
    answers = _seen("Answers that students see", ANSWERS, "share_answers")
    here = class_view.current()
    projector = st.checkbox(
        "Start in the projector view", value=here.on_projector, key="share_projector"
    )
    return ClassView(frozenset({*CONTROLS, *ANSWERS} - {*controls, *answers}), projector)


def embedded(link: str) -> str:
    """HTML that shows the view of a link inside another page."""
    address = escape(link + ("&" if "?" in link else "?") + "embed=true")
    return (
        f'<iframe src="{address}" title="Good Init" width="100%" height="900" '
        'style="border: 0" loading="lazy"></iframe>'
    )
