"""Every experiment that is allowed, and the parts of one for a test that goes its own way."""

import torch
from hypothesis import strategies as st

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS, SKIPS
from core.layer.inputs import INPUTS
from core.simulation.propagate import draw_layer

CPU = torch.device("cpu")

LAYERS = {
    "branch": st.sampled_from(["product", *BRANCHES]),
    "expansion": st.integers(1, 5),
    "skip": st.sampled_from(["none", *SKIPS]),
    "branch_scale": st.sampled_from([0.0, 1e-3, 0.1, 0.5, 1.0, 1.0, 3.0, 1e3]),
    "norm": st.sampled_from(["none", "none", *NORMS]),
    "norm_place": st.sampled_from(list(NORM_PLACES)),
    "input": st.sampled_from(["normal", "normal", *INPUTS]),
    "input_scale": st.sampled_from([1.0, 1.0, 1e-4, 0.5, 1e3]),
}
"""The fields of a layer and of its input; half of them are the default."""


def allowed(**fields):
    """The experiment of these fields, with two inputs where its norm needs them."""
    least = NORMS[fields.get("norm", "none")].least_inputs
    return Experiment(**fields | {"batch_size": max(least, fields.get("batch_size", 1))})


EXPERIMENTS = st.builds(
    allowed,
    width=st.integers(1, 16384),
    depth=st.integers(1, 2000),
    init=st.sampled_from(sorted(INITIALIZERS)),
    scale=st.floats(0, 1e6),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    weights=st.sampled_from(["tied", "fresh"]),
    bias_std=st.floats(0, 1e6),
    number_format=st.sampled_from(sorted(NUMBER_FORMATS)),
    batch_size=st.integers(1, 4096),
    seed=st.integers(0, 2**63 - 1),
    loss_scale=st.floats(2.0**-24, 2.0**24),
    **LAYERS,
)


def weights_and_bias(experiment, layer, device=CPU, x=None):
    """a of one layer, and b or None."""
    drawn = draw_layer(experiment, layer, device, x)
    tensors = [parameters for parameters in drawn if parameters is not None]
    return (*tensors, None)[:2]
