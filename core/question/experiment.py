"""Experiment: the question that a run answers, as one frozen dataclass.

Every field carries its own description. The widget, the validation and its message, the URL
parameter, the command-line option and the axis label are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from ..layer import activations, initializers, named_activation, named_initializer, number_formats
from ..layer.activations import ACTIVATIONS, Activation
from ..layer.arithmetic import Rounded
from ..layer.branches import BRANCHES, NORM_PLACES, NORMS, SKIPS, Block
from ..layer.initializer import Initializer
from ..layer.initializers import INITIALIZERS, linear_bias_std
from ..layer.inputs import INPUTS, Input
from ..layer.named_activation import activation_of
from ..layer.named_initializer import initializer_of
from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..layer.operation import Shape
from ..layer.stack import Layer
from ..layer.weights import Weights
from ..text import shown, written
from .parameter import Parameter, geometric, logarithmic

Stop = Callable[[int, int], float]
"""(width n, depth L) -> the value of a named stop."""

SCALE_STOPS: dict[str, Stop] = {
    "1": lambda width, depth: 1.0,
    "0.1": lambda width, depth: 0.1,
    "0.01": lambda width, depth: 0.01,
    "1/√n": lambda width, depth: (1 / width) ** 0.5,
    "√(2/n)": lambda width, depth: (2 / width) ** 0.5,
}
"""Name -> value of the lesson's scale factors; a link may use these names."""

BRANCH_STOPS: dict[str, Stop] = {
    "1": lambda width, depth: 1.0,
    "1/√L": lambda width, depth: (1 / depth) ** 0.5,
    "1/√(2L)": lambda width, depth: (1 / (2 * depth)) ** 0.5,
    "1/L": lambda width, depth: 1 / depth,
    "0": lambda width, depth: 0.0,
}
"""Name -> value of the usual factors of a branch."""

NAMED_STOPS: dict[str, dict[str, Stop]] = {
    "scale": {name: stop for name, stop in SCALE_STOPS.items() if "n" in name},
    "bias_std": {"1/√(3n)": lambda width, depth: linear_bias_std(width)},
    "branch_scale": {name: stop for name, stop in BRANCH_STOPS.items() if "L" in name},
}
"""Field -> its stops that follow the width or the depth: name -> value."""


def _parameter(default: Any, **description: Any) -> Any:
    return field(default=default, metadata={"parameter": Parameter(**description)})


@dataclass(frozen=True)
class Experiment:
    """A signal x that passes through ``depth`` layers: x → φ(a @ x + b), or with a skip and a norm.

    The defaults are the lesson's. The ``help`` of each field says what it means.

    Raises:
        ValueError: a value is not accepted; names the field, the value and what is allowed.
    """

    width: int = _parameter(
        512,
        label="Width n",
        help="How many numbers x has; a weight matrix a is n × n, but for those of an mlp branch.",
        symbol="n",
        kind="integer",
        minimum=1,
        maximum=16384,
        stops=geometric(1, 2048, 8),
    )
    depth: int = _parameter(
        100,
        label="Depth",
        help="How many products are made, one after the other; of an mlp branch, how many layers.",
        symbol="L",
        kind="integer",
        minimum=1,
        maximum=2000,
        stops=tuple(range(1, 201)),
    )
    init: str = _parameter(
        "normal",
        label="Initialiser",
        help="The rule that draws the weights; the scale factor multiplies it. lsuv first fits "
        "them to what each layer gets, or one matrix for all layers to the input. A name with a "
        "number may be typed too: torch_trunc_normal(0.02), or sparse(kept=0.5), the share that is "
        "not zero.",
        symbol="a",
        kind="choice",
        choices=tuple(INITIALIZERS),
        aliases=initializers.ALIASES,
        remarks={
            alias: f"the law of Keras and JAX, cut at two std, is {name}"
            for alias, name in initializers.REMARKS.items()
        },
        names={name: each.label for name, each in INITIALIZERS.items()},
        reader=lambda text: initializer_of(text).name,
        others=named_initializer.OPEN,
        example="torch_trunc_normal(0.02), sparse(kept=0.5), …",
    )
    scale: float = _parameter(
        1.0,
        label="Scale factor",
        help="Multiplies every weight. 1/√n keeps a linear signal, √(2/n) one with ReLU.",
        symbol="s",
        kind="real",
        minimum=0.0,
        maximum=1e6,
        stops=logarithmic(1e-3, 1e2, 40),
    )
    activation: str = _parameter(
        "linear",
        label="Activation",
        help="The function φ applied to every element after each product. A formula in x may be "
        "typed too, such as x*sigmoid(1.702*x), or a name with a number, such as leaky_relu(0.2).",
        symbol="φ",
        kind="choice",
        choices=tuple(ACTIVATIONS),
        aliases=activations.ALIASES,
        names={name: each.label for name, each in ACTIVATIONS.items()},
        reader=lambda text: activation_of(text).name,
        others=named_activation.OPEN,
        example="x*tanh(x), leaky_relu(0.2), …",
    )
    weights: str = _parameter(
        "tied",
        label="Weights",
        help="tied: one matrix, used at every step, as in the lesson. "
        "fresh: a new matrix for every layer, as in a real network.",
        symbol="W",
        kind="choice",
        choices=("tied", "fresh"),
    )
    bias_std: float = _parameter(
        0.0,
        label="Bias std",
        help="The standard deviation of the bias added after each product.",
        symbol="σ_b",
        kind="real",
        minimum=0.0,
        maximum=1e6,
        stops=(0.0, *logarithmic(1e-3, 1e1, 8)),
    )
    number_format: str = _parameter(
        "float32",
        label="Number format",
        help="The number format in which everything is computed, with its conventions.",
        symbol="",
        kind="choice",
        choices=tuple(NUMBER_FORMATS),
        aliases=number_formats.ALIASES,
    )
    batch_size: int = _parameter(
        1,
        label="Inputs per batch",
        help="How many inputs go through at once, as the columns of x.",
        symbol="B",
        kind="integer",
        minimum=1,
        maximum=4096,
        stops=geometric(1, 256, 1),
    )
    seed: int = _parameter(
        0,
        label="Seed",
        help="The start of the random numbers; the same seed draws the same x and a.",
        symbol="seed",
        kind="integer",
        minimum=0,
        maximum=2**63 - 1,
    )
    loss_scale: float = _parameter(
        1.0,
        label="Loss scale",
        help="Multiplies the gradient at the last layer, so that it stays in the number format on "
        "its way back.",
        symbol="S",
        kind="real",
        minimum=2.0**-24,
        maximum=2.0**24,
        stops=tuple(2.0**power for power in range(-24, 25)),
    )

    branch: str = _parameter(
        "product",
        label="Branch",
        help="The part of a layer that has weights. mlp has two matrices, with a wider layer of "
        "hidden units between them; both are drawn by the same rule.",
        symbol="f",
        kind="choice",
        choices=tuple(BRANCHES),
        names={name: each.label for name, each in BRANCHES.items()},
    )
    expansion: int = _parameter(
        4,
        label="Expansion",
        help="How many times wider the hidden units of an mlp branch are than x.",
        symbol="r",
        kind="integer",
        minimum=1,
        maximum=16,
        stops=tuple(range(1, 17)),
    )
    skip: str = _parameter(
        "none",
        label="Skip",
        help="identity: the input of a layer is added to what its branch makes of it.",
        symbol="",
        kind="choice",
        choices=tuple(SKIPS),
        names=SKIPS,
    )
    branch_scale: float = _parameter(
        1.0,
        label="Branch scale",
        help="Multiplies the branch beside a skip. 1/√(2L) is that of GPT-2, 0 that of ReZero. "
        "Without a skip it is not used.",
        symbol="α",
        kind="real",
        minimum=0.0,
        maximum=1e3,
        stops=(0.0, *logarithmic(1e-3, 1e1, 20)),
    )
    norm: str = _parameter(
        "none",
        label="Norm",
        help="layer and rms normalise each input over its units, batch each unit over the inputs "
        "of the batch, which must be at least 2. ε is 1e-5, and there are no weights.",
        symbol="",
        kind="choice",
        choices=tuple(NORMS),
        aliases={"layernorm": "layer", "rmsnorm": "rms", "batchnorm": "batch"},
        names={name: each.label for name, each in NORMS.items()},
    )
    norm_place: str = _parameter(
        "before",
        label="Place of the norm",
        help="before: in front of the branch, pre-norm. inside: between product and φ. "
        "after: behind the sum, post-norm.",
        symbol="",
        kind="choice",
        choices=tuple(NORM_PLACES),
        names=NORM_PLACES,
    )
    input: str = _parameter(
        "normal",
        label="Input",
        help="What enters at layer 0: normal numbers, pixels from 0 to 1, bytes from 0 to 255, "
        "one unit that is 1, or ones everywhere.",
        symbol="x₀",
        kind="choice",
        choices=tuple(INPUTS),
        names={name: each.label for name, each in INPUTS.items()},
    )
    input_scale: float = _parameter(
        1.0,
        label="Input scale",
        help="Multiplies the input.",
        symbol="s₀",
        kind="real",
        minimum=0.0,
        maximum=1e6,
        stops=logarithmic(1e-3, 1e3, 8),
    )

    def __post_init__(self) -> None:
        for name, parameter in PARAMETERS.items():
            value = getattr(self, name)
            if not parameter.accepts(value):
                raise ValueError(parameter.refusal(name, value))
            plain = parameter.convert(value)
            if plain is not value:
                object.__setattr__(self, name, plain)
        if self.batch_size < NORMS[self.norm].least_inputs:
            raise ValueError(_too_few(self.norm, self.batch_size))

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: pickle cannot store the functions of the cached layer."""
        return {name: getattr(self, name) for name in PARAMETERS}

    @property
    def phi(self) -> Activation:
        """The activation function."""
        return activation_of(self.activation)

    @property
    def rule(self) -> Initializer:
        """The weight initialiser; its matrix is multiplied by ``scale``."""
        return initializer_of(self.init)

    @property
    def has_bias(self) -> bool:
        """Whether a layer has a bias: one that is drawn, or one that the initialiser fits."""
        return self.bias_std > 0 or self.rule.fits_bias

    @property
    def format(self) -> NumberFormat:
        """The number format."""
        return NUMBER_FORMATS[self.number_format]

    @property
    def source(self) -> Input:
        """The law of the input; ``input_scale`` multiplies it."""
        return INPUTS[self.input]

    @cached_property
    def layer(self) -> Layer:
        """The operations of a layer, the same for every layer."""
        fresh, n = self.weights == "fresh", self.width
        return Block(
            Weights(self.rule, self.phi, self.scale, n, n, fresh),
            self.bias_std,
            self.branch,
            self.expansion,
            self.skip == "identity",
            self.branch_scale,
            self.norm,
            self.norm_place,
            self.batch_size,
        ).layer()

    @property
    def step(self) -> str:
        """What a sentence calls one layer: a product where there is one and nothing but b and φ."""
        return "product" if self.layer.is_plain else "layer"

    @cached_property
    def arithmetic(self) -> Rounded:
        """The arithmetic of a run."""
        return Rounded(self.format, by_rows=not self.layer.is_plain)

    @property
    def shape(self) -> Shape:
        """Width, number of inputs and depth."""
        return Shape(self.width, self.batch_size, self.depth)

    @property
    def is_single_number(self) -> bool:
        """Whether x has a single element, and so no std."""
        return self.width * self.batch_size == 1

    @property
    def weight_std(self) -> float:
        """The root mean square of the weights: the initialiser's rule times the scale factor.

        For an initialiser that is fitted to data, it is the value before the fit, which changes it
        in every layer.
        """
        return self.layer.product.drawn.std

    @property
    def sigma_w(self) -> float:
        """weight_std·√n: the factor by which a product multiplies a typical vector's length."""
        return float(self.layer.product.sigma_w)

    def replace(self, **changes: Any) -> Experiment:
        """A copy with some fields changed.

        Args:
            **changes: field -> new value.

        Raises:
            ValueError: there is no such field, or a value is not accepted.
        """
        unknown = sorted(changes.keys() - PARAMETERS.keys())
        if unknown:
            raise ValueError(_unknown(unknown[0]))
        return replace(self, **changes)

    def to_query(self) -> dict[str, str]:
        """Every field as text, for a link; ``from_query`` reads it back exactly."""
        return {name: written(getattr(self, name)) for name in PARAMETERS}

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> tuple[Experiment, list[str]]:
        """The Experiment that a link describes, and the problems with the link.

        Args:
            query: parameter -> text. Any text is read without an error.

        Returns:
            An Experiment, in which a value that was not accepted has its default; and one sentence
            for each such value, with the field, the value, what is allowed and what is used. A
            `Note` among them tells that the name of another library was taken for one of ours.
        """
        accepted: dict[str, Any] = {}
        problems = [_unknown(name) for name in query if name not in PARAMETERS]
        for name, parameter in PARAMETERS.items():
            if name not in query:
                continue
            text = str(query[name]).strip()
            sizes = (accepted.get(size, DEFAULTS[size]) for size in ("width", "depth"))
            value = _value(name, text, *sizes)
            if value is None or not parameter.accepts(value):
                problems.append(
                    f"{parameter.refusal(name, text)}: {cls().to_query()[name]} is used"
                )
                continue
            accepted[name] = value
            problems += parameter.notes(name, text)
            if parameter.rounds(text):
                problems.append(
                    f"{name} must be {parameter.allowed}, got {shown(text)}: {value} is used"
                )
        norm, inputs = (accepted.get(name, DEFAULTS[name]) for name in ("norm", "batch_size"))
        if inputs < NORMS[norm].least_inputs:
            problems.append(f"{_too_few(norm, inputs)}: norm {DEFAULTS['norm']} is used")
            del accepted["norm"]
        return cls(**accepted), problems


def _value(name: str, text: str, width: int, depth: int) -> int | float | str | None:
    """The value of a field's text at a width and a depth; None if a number is due, not found."""
    stops = NAMED_STOPS.get(name)
    if stops is None:
        return PARAMETERS[name].parse(text)
    plain = text.replace(" ", "")
    for size in "nL":
        plain = plain.replace(f"sqrt({size})", f"√{size}").replace(f"√({size})", f"√{size}")
    stop = stops.get(plain.replace("sqrt", "√").replace("2*L", "2L").replace("3*n", "3n"))
    return stop(width, depth) if stop else PARAMETERS[name].parse(text, n=width, L=depth)


def _too_few(norm: str, inputs: int) -> str:
    least = NORMS[norm].least_inputs
    return f"batch_size must be at least {least} where norm is {norm}, got {inputs}"


def _unknown(name: object) -> str:
    return f"there is no parameter {shown(name)}; there are {', '.join(PARAMETERS)}"


PARAMETERS: dict[str, Parameter] = {
    item.name: item.metadata["parameter"] for item in fields(Experiment)
}
"""Field -> its description, in the order of the fields."""

DEFAULTS: dict[str, Any] = {item.name: item.default for item in fields(Experiment)}
"""Field -> its default."""
