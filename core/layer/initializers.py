"""INITIALIZERS: the rules that draw a weight matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Generator, Tensor

from . import lsuv
from .activations import Activation

# The std of N(0, 1) truncated at ±2: √(1 − 2·2·φ(2)/(2Φ(2) − 1)).
_TRUNCATED_STD = 0.8796256610342398
_TRUNCATED_MASS = 0.9544997361036416  # 2Φ(2) − 1
_SPARSE_KEPT = 0.1  # the fraction of each column that is not zero

# As code: standard normal numbers, and numbers that are uniform in [0, 1).
_RANDN = "torch.randn({fan_out}, {fan_in}, generator=generator)"
_RAND = "torch.rand({fan_out}, {fan_in}, generator=generator)"
_HAAR_CODE = f"q, r = torch.linalg.qr({_RANDN})\n{{a}} = q * r.diagonal().sign()"
_WIDE_HAAR_CODE = (
    "q, r = torch.linalg.qr(torch.randn({fan_in}, {fan_out}, generator=generator))\n"
    "{a} = (q * r.diagonal().sign()).T.contiguous()"
)

WeightStd = Callable[[int, int, Activation], float]
"""(fan_in, fan_out, activation) -> the root mean square of the entries."""


class Sampler(Protocol):
    """The function by which an initialiser draws a matrix."""

    def __call__(
        self, fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        """Draw one matrix.

        Args:
            fan_in: inputs of the layer.
            fan_out: outputs of the layer.
            activation: φ after the product, for a rule that depends on its gain.
            generator: the source of random numbers.

        Returns:
            float32 of shape (fan_out, fan_in) on the generator's device.
        """
        ...


Fit = Callable[[Tensor, Tensor], Tensor]
"""(the drawn matrix, the layer's input) -> the matrix fitted to that input."""


@dataclass(frozen=True)
class Initializer:
    """A rule that draws a weight matrix.

    Attributes:
        name: registry key; travels in links, never renamed.
        sample: draws the matrix, float32 of shape (fan_out, fan_in).
        weight_std: the root mean square of the entries before any ``fit``, exact or in the limit
            of large width.
        formula: the rule in LaTeX.
        reference: the source of the rule, such as a paper.
        code: PyTorch lines that assign the matrix from ``generator``, with the same bits as
            ``sample``. ``{a}`` stands for its name, ``{fan_out}`` and ``{fan_in}`` for its sizes
            as expressions, ``{sizes}`` for both, ``{gain}`` for the activation's gain.
        wide_code: the same for fan_out < fan_in, where the lines differ.
        multiply_adds: width n -> the work of one draw of n·n numbers, measured, besides that of any
            draw.
        peak_matrices: how many float32 matrices of this size exist at once during a draw.
        law: what theory may assume. "gaussian": the entries are independent and normal.
            "independent": they are independent, of another law with light tails, and act like
            normal entries up to O(1/n). "orthogonal": the matrix is Haar-distributed. "other":
            theory knows no law.
        fit: (matrix of ``sample``, layer's input of shape (fan_in,) or (fan_in, inputs)) -> matrix;
            None for a rule that does not look at data. A matrix that all layers share is fitted
            to the network's input. The scale factor is applied after the fit.
        fit_code: PyTorch lines that fit ``{a}`` to ``x``, with the same bits as ``fit``.
        has_zero_rows: whether a row of the matrix may be all zero, so that a unit is.
        bias_std: width n -> the std of the biases that the rule's own layer draws beside a; None
            for a rule that says nothing of biases.
        label: its name in menus; without one, the registry key.
    """

    name: str
    sample: Sampler
    weight_std: WeightStd
    formula: str
    reference: str
    code: str
    multiply_adds: Callable[[float], float]
    wide_code: str = ""
    peak_matrices: float = 1.0
    law: Literal["gaussian", "independent", "orthogonal", "other"] = "other"
    fit: Fit | None = None
    fit_code: str = ""
    has_zero_rows: bool = False
    bias_std: Callable[[int], float] | None = None
    label: str = ""

    def lines(self, name: str, fan_out: str, fan_in: str, gain: float, *, wide: bool) -> list[str]:
        """`code` as lines that assign the variable ``name``.

        Args:
            name: of the matrix.
            fan_out: the number of its rows, as an expression.
            fan_in: the number of its columns, likewise.
            gain: the activation's.
            wide: whether it has fewer rows than columns.
        """
        code = self.wide_code if wide and self.wide_code else self.code
        sizes = fan_out if fan_out == fan_in else f"{fan_out}, {fan_in}"
        names = {"a": name, "fan_out": fan_out, "fan_in": fan_in, "sizes": sizes, "gain": gain}
        return code.format(**names).splitlines()


def _normal(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    return torch.randn(
        fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
    )


def _one_call(n: float) -> float:
    """The work of n² random numbers from one call, and of a factor."""
    return 5e4 + 18.0 * n**2


def _unit_uniform(fan_in: int, fan_out: int, generator: Generator) -> Tensor:
    """Independent entries from U(−1, 1)."""
    u = torch.rand(
        fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
    )
    return u.mul_(2).sub_(1)


def _gaussian(
    name: str, label: str, std: WeightStd, factor: str, formula: str, reference: str
) -> Initializer:
    """A rule with independent N(0, std²) entries; ``factor`` is the std as code, or ""."""

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        return _normal(fan_in, fan_out, generator).mul_(std(fan_in, fan_out, activation))

    code = "{a} = " + _RANDN + (f" * {factor}" if factor else "")
    return Initializer(
        name, sample, std, formula, reference, code, _one_call, law="gaussian", label=label
    )


def _uniform(
    name: str, label: str, std: WeightStd, factor: str, formula: str, reference: str
) -> Initializer:
    """A rule with independent U(−√3 std, √3 std) entries; ``factor`` is the std as code."""

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        bound = 3**0.5 * std(fan_in, fan_out, activation)
        return _unit_uniform(fan_in, fan_out, generator).mul_(bound)

    code = f"{{a}} = ({_RAND} * 2 - 1) * (3 ** 0.5 * {factor})"
    return Initializer(
        name, sample, std, formula, reference, code, _one_call, law="independent", label=label
    )


def _unit(fan_in: int, fan_out: int, activation: Activation) -> float:
    return 1.0


def _lecun(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (1 / fan_in) ** 0.5


def _xavier(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / (fan_in + fan_out)) ** 0.5


def _kaiming(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / fan_in) ** 0.5


def _kaiming_fan_out(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / fan_out) ** 0.5


def _critical(fan_in: int, fan_out: int, activation: Activation) -> float:
    return activation.gain * (1 / fan_in) ** 0.5


def linear_bias_std(width: int) -> float:
    """The std of nn.Linear's biases, which are uniform in ±1/√n: 1/√(3n)."""
    return (1 / (3 * width)) ** 0.5


def _torch_linear_std(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (1 / (3 * fan_in)) ** 0.5


def _orthogonal(
    fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
) -> Tensor:
    tall = _normal(min(fan_in, fan_out), max(fan_in, fan_out), generator)
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal().sign()
    return q if fan_out >= fan_in else q.T.contiguous()


def _spectral(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    w = _normal(fan_in, fan_out, generator)
    return w / torch.linalg.matrix_norm(w, 2)


def _torch_linear(
    fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
) -> Tensor:
    return _unit_uniform(fan_in, fan_out, generator).mul_((1 / fan_in) ** 0.5)


def _truncated_normal(
    fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
) -> Tensor:
    u = _unit_uniform(fan_in, fan_out, generator)
    return u.mul_(_TRUNCATED_MASS).erfinv_().mul_(2**0.5 / _TRUNCATED_STD)


def kept_inputs(fan_out: int) -> int:
    """How many outputs each input of a ``sparse`` layer feeds: a tenth of them, at least one."""
    return max(1, int(_SPARSE_KEPT * fan_out))


def _sparse_std(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (1 / fan_in) ** 0.5


def _sparse(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    kept = kept_inputs(fan_out)
    w = _normal(fan_in, fan_out, generator)
    order = torch.rand(
        fan_out, fan_in, generator=generator, device=generator.device, dtype=torch.float32
    ).argsort(0)
    return w * (order < kept) * (fan_out / (fan_in * kept)) ** 0.5


def _identity(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    return torch.eye(fan_out, fan_in, device=generator.device, dtype=torch.float32)


def _zeros(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    return torch.zeros(fan_out, fan_in, device=generator.device, dtype=torch.float32)


_HE = "He et al. 2015, arXiv:1502.01852"
_GLOROT = "Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward networks"

_ENTRIES = (
    _gaussian(
        "normal",
        "Normal, std 1",
        _unit,
        "",
        r"\mathcal N(0, 1)",
        "torch.randn, as in the lesson",
    ),
    _uniform(
        "uniform",
        "Uniform, std 1",
        _unit,
        "1.0",
        r"\mathcal U(-\sqrt3, \sqrt3)",
        "the uniform distribution with the std of randn",
    ),
    _gaussian(
        "lecun_normal",
        "LeCun (normal)",
        _lecun,
        "(1 / {fan_in}) ** 0.5",
        r"\mathcal N(0, 1/n_\text{in})",
        "LeCun et al. 1998, Efficient BackProp, eq. 16",
    ),
    _gaussian(
        "xavier_normal",
        "Xavier (normal)",
        _xavier,
        "(2 / ({fan_in} + {fan_out})) ** 0.5",
        r"\mathcal N(0, 2/(n_\text{in} + n_\text{out}))",
        f"{_GLOROT}, eq. 12",
    ),
    _uniform(
        "xavier_uniform",
        "Xavier (uniform)",
        _xavier,
        "(2 / ({fan_in} + {fan_out})) ** 0.5",
        r"\mathcal U(\pm\sqrt{6/(n_\text{in} + n_\text{out})})",
        f"{_GLOROT}, eq. 16",
    ),
    _gaussian(
        "kaiming_normal",
        "Kaiming (normal)",
        _kaiming,
        "(2 / {fan_in}) ** 0.5",
        r"\mathcal N(0, 2/n_\text{in})",
        f"{_HE}, eq. 10 (the gain of ReLU, whatever the activation)",
    ),
    _uniform(
        "kaiming_uniform",
        "Kaiming (uniform)",
        _kaiming,
        "(2 / {fan_in}) ** 0.5",
        r"\mathcal U(\pm\sqrt{6/n_\text{in}})",
        f"{_HE}, eq. 10 (the gain of ReLU, whatever the activation)",
    ),
    _gaussian(
        "kaiming_normal_fan_out",
        "Kaiming (normal), fan_out",
        _kaiming_fan_out,
        "(2 / {fan_out}) ** 0.5",
        r"\mathcal N(0, 2/n_\text{out})",
        f"{_HE}, eq. 14: it keeps the gradient (the gain of ReLU, whatever the activation)",
    ),
    _uniform(
        "kaiming_uniform_fan_out",
        "Kaiming (uniform), fan_out",
        _kaiming_fan_out,
        "(2 / {fan_out}) ** 0.5",
        r"\mathcal U(\pm\sqrt{6/n_\text{out}})",
        f"{_HE}, eq. 14: it keeps the gradient (the gain of ReLU, whatever the activation)",
    ),
    _gaussian(
        "critical",
        "Critical, for this activation",
        _critical,
        "({gain} * (1 / {fan_in}) ** 0.5)",
        r"\mathcal N(0, g^2/n_\text{in}),\; g^{-2} = \mathbb E[\varphi(z)^2]",
        f"{_HE}, eq. 10, for the chosen activation; Poole et al. 2016, arXiv:1606.05340",
    ),
    Initializer(
        name="orthogonal",
        label="Orthogonal",
        sample=_orthogonal,
        weight_std=lambda fan_in, fan_out, activation: max(fan_in, fan_out) ** -0.5,
        formula=r"W^\top W = I \text{ (Haar)}",
        reference="Saxe et al. 2014, arXiv:1312.6120; Mezzadri 2007, arXiv:math-ph/0609050",
        code=_HAAR_CODE,
        wide_code=_WIDE_HAAR_CODE,
        peak_matrices=5.0,
        multiply_adds=lambda n: 9e4 + 130.0 * n**2 + 0.3 * n**3,
        law="orthogonal",
    ),
    Initializer(
        name="spectral",
        label="Spectral norm 1",
        sample=_spectral,
        weight_std=lambda fan_in, fan_out, activation: 1 / (fan_in**0.5 + fan_out**0.5),
        formula=r"W / \lVert W \rVert_2",
        reference="Miyato et al. 2018, arXiv:1802.05957",
        code=f"{{a}} = {_RANDN}\n{{a}} = {{a}} / torch.linalg.matrix_norm({{a}}, 2)",
        peak_matrices=4.0,
        multiply_adds=lambda n: 1.2e5 + 210.0 * n**2 + 0.5 * n**3,
    ),
    Initializer(
        name="torch_linear",
        label="PyTorch Linear",
        sample=_torch_linear,
        weight_std=_torch_linear_std,
        formula=r"\mathcal U(\pm 1/\sqrt{n_\text{in}})",
        reference="torch.nn.Linear.reset_parameters",
        code=f"{{a}} = ({_RAND} * 2 - 1) * (1 / {{fan_in}}) ** 0.5",
        multiply_adds=_one_call,
        law="independent",
        bias_std=linear_bias_std,
    ),
    Initializer(
        name="truncated_normal",
        label="Truncated normal, std 1",
        sample=_truncated_normal,
        weight_std=_unit,
        formula=r"\mathcal N(0, 1)\text{ cut at }\pm 2,\text{ rescaled to std } 1",
        reference="by inversion; the std of the cut normal is 0.8796",
        code=(
            f"{{a}} = ({_RAND} * 2 - 1) * {_TRUNCATED_MASS}\n"
            f"{{a}} = {{a}}.erfinv() * (2 ** 0.5 / {_TRUNCATED_STD})"
        ),
        multiply_adds=lambda n: 6e4 + 28.0 * n**2,
        law="independent",
    ),
    Initializer(
        name="sparse",
        label="Sparse",
        sample=_sparse,
        weight_std=_sparse_std,
        formula=r"\mathcal N(0, 10/n_\text{in})\text{ in a tenth of each column, else }0",
        reference="Martens 2010, Deep learning via Hessian-free optimization, section 5",
        code=(
            "kept = max(1, int(0.1 * {fan_out}))\n"
            f"{{a}} = {_RANDN}\n"
            f"order = {_RAND}.argsort(0)\n"
            "{a} = {a} * (order < kept) * ({fan_out} / ({fan_in} * kept)) ** 0.5"
        ),
        peak_matrices=7.0,
        multiply_adds=lambda n: 9e4 + 230.0 * n**2,  # every column is sorted
        has_zero_rows=True,
    ),
    Initializer(
        name="identity",
        label="Identity",
        sample=_identity,
        weight_std=lambda fan_in, fan_out, activation: max(fan_in, fan_out) ** -0.5,
        formula="I",
        reference="Le, Jaitly & Hinton 2015, arXiv:1504.00941",
        code="{a} = torch.eye({sizes})",
        multiply_adds=lambda n: 2.8e4 + 3.0 * n**2,
    ),
    Initializer(
        name="zeros",
        label="Zeros",
        sample=_zeros,
        weight_std=lambda fan_in, fan_out, activation: 0.0,
        formula="0",
        reference="the degenerate start: every product is zero",
        code="{a} = torch.zeros({fan_out}, {fan_in})",
        multiply_adds=lambda n: 1.7e4 + 3.0 * n**2,
    ),
    Initializer(
        name="lsuv",
        label="LSUV",
        sample=_orthogonal,
        weight_std=lambda fan_in, fan_out, activation: max(fan_in, fan_out) ** -0.5,
        formula=(
            r"W \leftarrow W / \operatorname{std}(W x)\text{ until }"
            rf"|\operatorname{{Var}}(W x) - 1| < {lsuv.TOLERANCE},\; W\text{{ first orthogonal}}"
        ),
        reference="Mishkin & Matas 2016, arXiv:1511.06422, algorithm 1",
        code=_HAAR_CODE,
        wide_code=_WIDE_HAAR_CODE,
        peak_matrices=5.0,
        multiply_adds=lambda n: 4.4e5 + 150.0 * n**2 + 0.3 * n**3,
        fit=lsuv.unit_variance,
        fit_code=lsuv.CODE,
    ),
)

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in _ENTRIES}

# Keras and JAX cut the normal numbers of some of these rules at two std, and keep the std.
ALIASES = {
    "randn": "normal",
    "glorotnormal": "xavier_normal",
    "glorotuniform": "xavier_uniform",
    "henormal": "kaiming_normal",
    "heuniform": "kaiming_uniform",
    "haar": "orthogonal",
    "eye": "identity",
    "zero": "zeros",
    "nn.linear": "torch_linear",
    "torch.nn.linear": "torch_linear",
}
"""Names in Keras, JAX and PyTorch, in lower case and without - and _ -> the registry key."""
