"""The controls of what a layer is made of: presets, branch, skip, norm, and the input."""

from __future__ import annotations

import streamlit as st

from core.question.experiment import BRANCH_STOPS, NAMED_STOPS, Experiment
from core.question.presets import PRESETS, Preset, preset_of
from pages.controls import fields, state, widget

_MADE_OF = ("branch", "expansion", "norm", "norm_place", "skip", "branch_scale")
_INPUT = ("input", "input_scale")


def controls() -> None:
    """Draw a button for each layer that has a name, and its fields folded away."""
    st.html("<p class='gi-group'>Layer</p>")
    experiment = state.current()[0]
    here = preset_of(experiment)
    with st.container(horizontal=True, gap="xsmall", key="layer_presets"):
        for preset in PRESETS.values():
            st.button(
                preset.name,
                key=f"layer_{preset.name}",
                type="primary" if preset is here else "secondary",
                width="content",
                help=preset.help,
                on_click=_apply,
                args=(preset,),
            )
    own = st.expander("Its parts: branch, norm, skip, input", key="layer", on_change="rerun")
    if own.open:
        with own:
            _fields()


def _apply(preset: Preset) -> None:
    """Set the fields of a preset; a value that follows the depth by its name."""
    found = Experiment.from_query(state.texts() | preset.query)[0]
    for name, text in preset.query.items():
        is_named = text in NAMED_STOPS.get(name, ())
        st.session_state[name] = text if is_named else getattr(found, name)


def _fields() -> None:
    """Draw the fields that have an effect."""
    for name in widget.counting((*_MADE_OF, *_INPUT)):
        widget.control(name, bound=False)
        if name == "branch_scale":
            fields.stop_buttons(name, BRANCH_STOPS)
