"""The one way a figure reaches the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages._routes import PLOTLY_PATH

_HERE = Path(__file__).parent
_FAILED = "_plotly_script_failed"

_component = st.components.v2.component(
    "good_init_chart",
    html=(_HERE / "chart.html").read_text(),
    css=(_HERE / "chart.css").read_text(),
    js=(_HERE / "chart.js").read_text(),
    isolate_styles=False,
)


def show(figure: dict[str, Any], *, key: str, urgent: bool = False) -> None:
    """Draw a figure of ``core.charts``.

    It is updated in place: the node stays, and with it zoom and legend choices. Where the script
    cannot be loaded, Streamlit's own chart takes over. ``urgent`` figures are drawn before others.
    """
    if st.session_state.get(_FAILED):
        st.plotly_chart(figure, key=f"{key}_stock", theme="streamlit")
        return
    result = _component(
        key=key,
        data={
            "figure": figure,
            "alt": figure["layout"]["meta"]["alt"],
            "script": PLOTLY_PATH,
            "name": key,
            "urgent": urgent,
        },
        default={"failed": False},
        on_failed_change=_remember_failure,
    )
    if result.failed:
        st.session_state[_FAILED] = True


def _remember_failure() -> None:
    st.session_state[_FAILED] = True
