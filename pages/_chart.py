"""The one way a figure reaches the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pages._assets import MODULES_PATH, PLOTLY_PATH

_HERE = Path(__file__).parent
_FAILED = "_plotly_script_failed"

# Our own module is fetched once and kept; Streamlit sends this text with every figure.
_LOADER = """
export default (args) => {
  const module = import(new URL(args.data.module, document.baseURI));
  const shown = module.then(({ show }) => show(args), () => args.setStateValue("failed", true));
  return () => shown.then((leave) => leave?.());
};
"""

_component = st.components.v2.component(
    "good_init_chart",
    html=(_HERE / "chart.html").read_text(),
    css=(_HERE / "chart.css").read_text(),
    js=_LOADER,
    isolate_styles=False,
)


def show(
    figure: dict[str, Any],
    *,
    key: str,
    urgent: bool = False,
    live: dict[str, Any] | None = None,
) -> None:
    """Draw a figure of ``core.charts``.

    It is updated in place: the node stays, and with it zoom and legend choices. Where the script
    cannot be loaded, Streamlit's own chart takes over. ``urgent`` figures are drawn before others;
    with a ``live`` description the figure follows the sliders while they move.
    """
    if st.session_state.get(_FAILED):
        st.plotly_chart(figure, key=f"{key}_stock", theme="streamlit")
        return
    result = _component(
        key=key,
        data={
            "figure": figure,
            "alt": figure["layout"]["meta"]["alt"],
            "module": f"{MODULES_PATH}chart.js",
            "plotly": PLOTLY_PATH,
            "name": key,
            "urgent": urgent,
            "live": live,
        },
        default={"failed": False},
        on_failed_change=_remember_failure,
    )
    if result.failed:
        st.session_state[_FAILED] = True


def _remember_failure() -> None:
    st.session_state[_FAILED] = True
