"""Every experiment that is allowed, and the parts of one for a test that goes its own way."""

import torch
from hypothesis import strategies as st

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment
from core.simulation.propagate import draw_layer

CPU = torch.device("cpu")

EXPERIMENTS = st.builds(
    Experiment,
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
)


def weights_and_bias(experiment, layer, device=CPU, x=None):
    """a of one layer, and b or None."""
    drawn = draw_layer(experiment, layer, device, x)
    tensors = [parameters for parameters in drawn if parameters is not None]
    return (*tensors, None)[:2]
