"""Draws a figure: every page does so through ``show``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import streamlit as st

from pages.figures.assets import MODULE_PATHS, PLOTLY_PATH

_HERE = Path(__file__).parent
_FAILED = "_plotly_script_failed"

# A figure is sent as bytes. Streamlit would write anything else as text, twice, while all viewers
# wait. The text below is sent with every figure; the modules and Plotly are fetched once,
# side by side, and cached. Paths are relative to the page, which may be under a prefix.
_LOADER = """
const at = (path) => new URL(path, document.baseURI).href;
const preload = (path, rel, as) => {
  const known = window.goodInitPreloaded ??= new Set();
  if (known.has(path)) return;
  known.add(path);
  document.head.append(Object.assign(document.createElement("link"), { rel, as, href: at(path) }));
};
export default ({ data: bytes, ...rest }) => {
  const data = JSON.parse(new TextDecoder().decode(bytes));
  preload(data.plotly, "preload", "script");
  for (const path of data.modules) preload(path, "modulepreload", "script");
  const shown = import(at(data.module)).then(
    ({ show }) => show({ data: { ...data, plotly: at(data.plotly) }, ...rest }),
    () => rest.setStateValue("failed", true),
  );
  return () => shown.then((leave) => leave?.());
};
"""
_PLOTLY = PLOTLY_PATH.lstrip("/")
_MODULES = {name: path.lstrip("/") for name, path in MODULE_PATHS.items()}

_component = st.components.v2.component(
    "good_init_chart",
    html=(_HERE / "chart.html").read_text(),
    js=_LOADER,
    isolate_styles=False,
)


def show(
    figure: dict[str, Any],
    *,
    key: str,
    urgent: bool = False,
    live: dict[str, Any] | None = None,
    on_cell: Callable[[Any], None] | None = None,
) -> None:
    """Draw a figure of ``core.charts``.

    A figure that is on screen already is updated in place, so that zoom and legend choices stay.
    Where the browser cannot load Plotly's script, Streamlit's own chart is drawn instead.

    Args:
        figure: with its description for screen readers in ``layout.meta.alt``.
        key: names the figure on its page, and the files that a viewer saves.
        urgent: whether it is drawn before the others.
        live: ``live.description`` of its run, if the figure follows the sliders while they move.
        on_cell: called with the column and row of a heat map's cell that the viewer clicks.
    """
    if st.session_state.get(_FAILED):
        st.plotly_chart(figure, key=f"{key}_stock", theme="streamlit")
        return
    data = {
        "figure": figure,
        "alt": figure["layout"]["meta"]["alt"],
        "module": _MODULES["chart.js"],
        "modules": list(_MODULES.values()),
        "plotly": _PLOTLY,
        "name": key,
        "urgent": urgent,
        "live": live,
        "clicks": on_cell is not None,
    }
    result = _component(
        key=key,
        data=orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY),
        default={"failed": False},
        height=figure["layout"]["height"],  # at once, so that nothing jumps later
        on_failed_change=_remember_failure,
        on_cell_change=lambda: on_cell and on_cell(st.session_state[key]["cell"]),
    )
    if result.failed:
        st.session_state[_FAILED] = True


def _remember_failure() -> None:
    st.session_state[_FAILED] = True
