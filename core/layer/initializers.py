"""INITIALIZERS: the rules that draw a weight matrix."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Generator, Tensor

from . import lsuv, truncated
from .activations import Activation
from .fans import CRITICAL, KAIMING, KAIMING_FAN_OUT, LECUN, UNIT, XAVIER, FanRule
from .initializer import RAND, RANDN, Initializer, normal, one_call, unit_uniform
from .sparse import USUAL_SHARE, sparse

_HAAR_CODE = f"q, r = torch.linalg.qr({RANDN})\n{{a}} = q * r.diagonal().sign()"
_WIDE_HAAR_CODE = (
    "q, r = torch.linalg.qr(torch.randn({fan_in}, {fan_out}, generator=generator))\n"
    "{a} = (q * r.diagonal().sign()).T.contiguous()"
)


def _gaussian(name: str, label: str, rule: FanRule, formula: str, reference: str) -> Initializer:
    """A rule with independent N(0, std²) entries."""

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        return normal(fan_in, fan_out, generator).mul_(rule.std(fan_in, fan_out, activation))

    code = "{a} = " + RANDN + (f" * {rule.code}" if rule.code else "")
    return Initializer(
        name, sample, rule.std, formula, reference, code, one_call, law="gaussian", label=label
    )


def _uniform(name: str, label: str, rule: FanRule, formula: str, reference: str) -> Initializer:
    """A rule with independent U(−√3 std, √3 std) entries."""

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        bound = 3**0.5 * rule.std(fan_in, fan_out, activation)
        return unit_uniform(fan_in, fan_out, generator).mul_(bound)

    code = f"{{a}} = ({RAND} * 2 - 1) * (3 ** 0.5 * {rule.code or 1.0})"
    return Initializer(
        name, sample, rule.std, formula, reference, code, one_call, law="independent", label=label
    )


def linear_bias_std(width: int) -> float:
    """The std of nn.Linear's biases, which are uniform in ±1/√n: 1/√(3n)."""
    return (1 / (3 * width)) ** 0.5


def _torch_linear_std(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (1 / (3 * fan_in)) ** 0.5


def _orthogonal(
    fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
) -> Tensor:
    tall = normal(min(fan_in, fan_out), max(fan_in, fan_out), generator)
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal().sign()
    return q if fan_out >= fan_in else q.T.contiguous()


def _spectral(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    w = normal(fan_in, fan_out, generator)
    return w / torch.linalg.matrix_norm(w, 2)


def _torch_linear(
    fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
) -> Tensor:
    return unit_uniform(fan_in, fan_out, generator).mul_((1 / fan_in) ** 0.5)


def _identity(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    return torch.eye(fan_out, fan_in, device=generator.device, dtype=torch.float32)


def _zeros(fan_in: int, fan_out: int, activation: Activation, *, generator: Generator) -> Tensor:
    return torch.zeros(fan_out, fan_in, device=generator.device, dtype=torch.float32)


_HE = "He et al. 2015, arXiv:1502.01852"
_GLOROT = "Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward networks"

_RULES = (
    _gaussian(
        "normal",
        "Normal, std 1",
        UNIT,
        r"\mathcal N(0, 1)",
        "torch.randn, as in the lesson",
    ),
    _uniform(
        "uniform",
        "Uniform, std 1",
        UNIT,
        r"\mathcal U(-\sqrt3, \sqrt3)",
        "the uniform distribution with the std of randn",
    ),
    _gaussian(
        "lecun_normal",
        "LeCun (normal)",
        LECUN,
        r"\mathcal N(0, 1/n_\text{in})",
        "LeCun et al. 1998, Efficient BackProp, eq. 16",
    ),
    _gaussian(
        "xavier_normal",
        "Xavier (normal)",
        XAVIER,
        r"\mathcal N(0, 2/(n_\text{in} + n_\text{out}))",
        f"{_GLOROT}, eq. 12",
    ),
    _uniform(
        "xavier_uniform",
        "Xavier (uniform)",
        XAVIER,
        r"\mathcal U(\pm\sqrt{6/(n_\text{in} + n_\text{out})})",
        f"{_GLOROT}, eq. 16",
    ),
    _gaussian(
        "kaiming_normal",
        "Kaiming (normal)",
        KAIMING,
        r"\mathcal N(0, 2/n_\text{in})",
        f"{_HE}, eq. 10 (the gain of ReLU, whatever the activation)",
    ),
    _uniform(
        "kaiming_uniform",
        "Kaiming (uniform)",
        KAIMING,
        r"\mathcal U(\pm\sqrt{6/n_\text{in}})",
        f"{_HE}, eq. 10 (the gain of ReLU, whatever the activation)",
    ),
    _gaussian(
        "kaiming_normal_fan_out",
        "Kaiming (normal), fan_out",
        KAIMING_FAN_OUT,
        r"\mathcal N(0, 2/n_\text{out})",
        f"{_HE}, eq. 14: it keeps the gradient (the gain of ReLU, whatever the activation)",
    ),
    _uniform(
        "kaiming_uniform_fan_out",
        "Kaiming (uniform), fan_out",
        KAIMING_FAN_OUT,
        r"\mathcal U(\pm\sqrt{6/n_\text{out}})",
        f"{_HE}, eq. 14: it keeps the gradient (the gain of ReLU, whatever the activation)",
    ),
    _gaussian(
        "critical",
        "Critical, for this activation",
        CRITICAL,
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
        code=f"{{a}} = {RANDN}\n{{a}} = {{a}} / torch.linalg.matrix_norm({{a}}, 2)",
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
        code=f"{{a}} = ({RAND} * 2 - 1) * (1 / {{fan_in}}) ** 0.5",
        multiply_adds=one_call,
        law="independent",
        bias_std=linear_bias_std,
    ),
    *truncated.ENTRIES,
    sparse(USUAL_SHARE),
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

_ENTRIES = (
    *_RULES,
    replace(
        _RULES[-1],
        name="lsuv_bias",
        label="LSUV with a fitted bias",
        formula=rf"{_RULES[-1].formula},\; b \leftarrow b - \operatorname{{mean}}(W x + b)",
        reference=(
            "Mishkin & Matas 2016, arXiv:1511.06422, algorithm 1, and the step for the bias of "
            "fast.ai’s course (Practical deep learning for coders, part 2, LSUV), which takes the "
            "mean after φ: here it is that of the pre-activation, as the variance is"
        ),
        fits_bias=True,
    ),
)

INITIALIZERS: dict[str, Initializer] = {entry.name: entry for entry in _ENTRIES}

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
    "truncnormal": "torch_trunc_normal",
    "init.truncnormal": "torch_trunc_normal",
    "nn.init.truncnormal": "torch_trunc_normal",
    "torch.nn.init.truncnormal": "torch_trunc_normal",
    "truncnormaltf": "keras_truncated_normal",
    "jaxtruncatednormal": "keras_truncated_normal",
    "jaxhenormal": "keras_he_normal",
    "jaxglorotnormal": "keras_glorot_normal",
    "jaxlecunnormal": "keras_lecun_normal",
}
"""Names in Keras, JAX, PyTorch and timm, in lower case and without - and _ -> the registry key."""

REMARKS = {
    "henormal": "keras_he_normal",
    "glorotnormal": "keras_glorot_normal",
}
"""Alias -> the registry key of what Keras and JAX mean by it; links of old mean the other law."""
