"""Experiment: the question that a run answers, as one frozen dataclass.

Every field carries its own description. The widget, the validation and its message, the URL
parameter, the command-line option and the axis label are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from ..layer import activations, initializers, number_formats
from ..layer.activations import ACTIVATIONS, Activation
from ..layer.initializers import INITIALIZERS, Initializer, linear_bias_std
from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..layer.operation import Shape
from ..layer.product import Weights
from ..layer.stack import Layer, layer_of
from ..text import shown, written
from .parameter import Parameter, geometric, logarithmic

SCALE_STOPS: dict[str, Callable[[int], float]] = {
    "1": lambda width: 1.0,
    "0.1": lambda width: 0.1,
    "0.01": lambda width: 0.01,
    "1/√n": lambda width: (1 / width) ** 0.5,
    "√(2/n)": lambda width: (2 / width) ** 0.5,
}
"""Name -> value at width n of the lesson's scale factors; a link may use these names."""

NAMED_STOPS: dict[str, dict[str, Callable[[int], float]]] = {
    "scale": {name: stop for name, stop in SCALE_STOPS.items() if "n" in name},
    "bias_std": {"1/√(3n)": linear_bias_std},
}
"""Field -> its stops that follow the width: name -> value at width n."""


def _parameter(default: Any, **description: Any) -> Any:
    return field(default=default, metadata={"parameter": Parameter(**description)})


@dataclass(frozen=True)
class Experiment:
    """A signal x that passes through ``depth`` layers x → φ(a @ x + b).

    The defaults are the lesson's. The ``help`` of each field says what it means.

    Raises:
        ValueError: a value is not accepted; names the field, the value and what is allowed.
    """

    width: int = _parameter(
        512,
        label="Width n",
        help="How many numbers x has; each weight matrix a is n × n.",
        symbol="n",
        kind="integer",
        minimum=1,
        maximum=16384,
        stops=geometric(1, 2048, 8),
    )
    depth: int = _parameter(
        100,
        label="Depth",
        help="How many products are made, one after the other.",
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
        "them to what each layer gets, or one matrix for all layers to the input.",
        symbol="a",
        kind="choice",
        choices=tuple(INITIALIZERS),
        aliases=initializers.ALIASES,
        names={name: each.label for name, each in INITIALIZERS.items()},
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
        help="The function φ applied to every element after each product.",
        symbol="φ",
        kind="choice",
        choices=tuple(ACTIVATIONS),
        aliases=activations.ALIASES,
        names={name: each.label for name, each in ACTIVATIONS.items()},
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
        help="The floating-point format in which everything is computed.",
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

    def __post_init__(self) -> None:
        for name, parameter in PARAMETERS.items():
            value = getattr(self, name)
            if not parameter.accepts(value):
                raise ValueError(f"{name} must be {parameter.allowed}, got {shown(value)}")
            plain = parameter.convert(value)
            if plain is not value:
                object.__setattr__(self, name, plain)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: pickle cannot store the functions of the cached layer."""
        return {name: getattr(self, name) for name in PARAMETERS}

    @property
    def phi(self) -> Activation:
        """The activation function."""
        return ACTIVATIONS[self.activation]

    @property
    def rule(self) -> Initializer:
        """The weight initialiser; its matrix is multiplied by ``scale``."""
        return INITIALIZERS[self.init]

    @property
    def format(self) -> NumberFormat:
        """The number format."""
        return NUMBER_FORMATS[self.number_format]

    @cached_property
    def layer(self) -> Layer:
        """The operations of a layer, the same for every layer."""
        fresh = self.weights == "fresh"
        weights = Weights(self.rule, self.phi, self.scale, self.width, fresh)
        return layer_of(weights, self.bias_std)

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
            value = _value(name, text, accepted.get("width", DEFAULTS["width"]))
            if value is None or not parameter.accepts(value):
                problems.append(
                    f"{name} must be {parameter.allowed}, got {shown(text)}: "
                    f"{cls().to_query()[name]} is used"
                )
                continue
            accepted[name] = value
            problems += parameter.notes(name, text)
            if parameter.rounds(text):
                problems.append(
                    f"{name} must be {parameter.allowed}, got {shown(text)}: {value} is used"
                )
        return cls(**accepted), problems


def _value(name: str, text: str, width: int) -> int | float | str | None:
    """The value of a field's text at width n; None if a number is due and not found."""
    stops = NAMED_STOPS.get(name)
    if stops is None:
        return PARAMETERS[name].parse(text)
    stop = stops.get(text.replace("sqrt(n)", "√n").replace("sqrt", "√"))
    return stop(width) if stop else PARAMETERS[name].parse(text, n=width)


def _unknown(name: object) -> str:
    return f"there is no parameter {shown(name)}; there are {', '.join(PARAMETERS)}"


PARAMETERS: dict[str, Parameter] = {
    item.name: item.metadata["parameter"] for item in fields(Experiment)
}
"""Field -> its description, in the order of the fields."""

DEFAULTS: dict[str, Any] = {item.name: item.default for item in fields(Experiment)}
"""Field -> its default."""
