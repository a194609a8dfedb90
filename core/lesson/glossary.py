"""The words that every step uses, for a student who meets them for the first time."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "N(0, 1)": "Random numbers from the bell curve with mean 0 and standard deviation 1. "
    "`torch.randn` draws them.",
    "std": "Standard deviation: how far numbers lie from their mean. It is the root of the mean "
    "squared distance; `x.std()` divides by n − 1 instead of n.",
    "second moment": "The mean of the squares. It is the variance, which is the std squared, plus "
    "the square of the mean.",
    "rms": "Root mean square: the root of the second moment. It is the std where the mean is 0.",
    "gradient δ": "How much the loss changes with each element of x. It is found at the last layer "
    "first and then, layer by layer, back to the input.",
    "skip, branch": "A skip passes x on past a layer. The branch is what the layer makes of x; it "
    "is added to what was passed on.",
    "layer norm, batch norm": "Both take off a mean and divide by a std: a layer norm by those of "
    "one input over the units, a batch norm by those of one unit over the inputs.",
    "tied, fresh": "Tied: one matrix, used at every step, as in the original notebook. Fresh: a "
    "new matrix for every layer, as in a real network.",
    "original notebook": "The exercise that this lesson repeats. Its numbers stand in the last "
    "column of each table.",
}
"""Term -> its meaning; code stands between backticks."""
