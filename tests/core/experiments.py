"""Parts of an experiment, taken apart for a test that goes its own way."""

import torch

from core.simulation.propagate import draw_layer

CPU = torch.device("cpu")


def weights_and_bias(experiment, layer, device=CPU, x=None):
    """a of one layer, and b or None."""
    drawn = draw_layer(experiment, layer, device, x)
    tensors = [parameters for parameters in drawn if parameters is not None]
    return (*tensors, None)[:2]
