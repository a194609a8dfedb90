"""Truncated normal weights, as PyTorch, Keras and JAX draw them, by inversion.

The libraries cut the normal distribution in three ways. ``torch.nn.init.trunc_normal_`` cuts at ±2
whatever the std. Keras's TruncatedNormal and JAX's truncated_normal cut at two std, so that the
std becomes 0.8796 times as large. Their variance-scaling rules, such as he_normal, cut there too
and then divide by 0.8796, so that the std is what the rule says.
"""

from __future__ import annotations

import math

from torch import Generator, Tensor

from .activations import Activation
from .fans import KAIMING, LECUN, UNIT, XAVIER, FanRule
from .initializer import RAND, Initializer, unit_uniform

TRUNCATED_STD = 0.8796256610342398
"""The std of N(0, 1) cut at ±2: √(1 − 2·2·φ(2)/(2Φ(2) − 1))."""

_TRUNCATED_MASS = 0.9544997361036416  # 2Φ(2) − 1
_CUT = 2.0  # where trunc_normal_ cuts, whatever the std
_HALF_STEP = 2.0**-24  # half the distance of two numbers of `unit_uniform`
_UNCUT = 6.0  # standard deviations; P(|z| > 6) = 2e-9


def _work(n: float) -> float:
    return 6e4 + 28.0 * n**2


def _at_two_std(
    name: str,
    label: str,
    rule: FanRule,
    formula: str,
    reference: str,
    *,
    kept: float = TRUNCATED_STD,
) -> Initializer:
    """A rule with entries of N(0, σ²) cut at ±2σ.

    Args:
        name: registry key.
        label: its name in menus.
        rule: the std of the entries, or σ; see ``kept``.
        formula: in LaTeX.
        reference: the source.
        kept: what the cut normal numbers are divided by: their own std, after which ``rule`` is the
            std of the entries; or 1, after which it is σ.
    """

    def std(fan_in: int, fan_out: int, activation: Activation) -> float:
        return rule.std(fan_in, fan_out, activation) * (TRUNCATED_STD / kept)

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        u = unit_uniform(fan_in, fan_out, generator).mul_(_TRUNCATED_MASS)
        factor = 2**0.5 if kept == 1 else 2**0.5 / kept
        return u.erfinv_().mul_(factor * rule.std(fan_in, fan_out, activation))

    factor = "2 ** 0.5" + (f" / {kept}" if kept != 1 else "")
    code = (
        f"{{a}} = ({RAND} * 2 - 1) * {_TRUNCATED_MASS}\n"
        f"{{a}} = {{a}}.erfinv() * ({factor}{f' * ({rule.code})' if rule.code else ''})"
    )
    return Initializer(
        name, sample, std, formula, reference, code, _work, law="independent", label=label
    )


def torch_trunc_normal(std: float) -> Initializer:
    """``torch.nn.init.trunc_normal_(std=…)``: N(0, std²) cut at ±2, not rescaled.

    Below a third nothing is cut. The numbers are drawn by inversion, as torch's are, but never from
    the end of the distribution: float32 would make −∞ of it there, and the cut −2.

    Args:
        std: that of the normal numbers before the cut.
    """
    ends = _CUT / std
    mass = math.erf(ends / 2**0.5)
    density = math.exp(-(ends**2) / 2) / math.sqrt(2 * math.pi)
    kept = math.sqrt(1 - 2 * ends * density / mass)

    def sample(
        fan_in: int, fan_out: int, activation: Activation, *, generator: Generator
    ) -> Tensor:
        u = unit_uniform(fan_in, fan_out, generator).add_(_HALF_STEP).mul_(mass)
        return u.erfinv_().mul_(2**0.5 * std).clamp_(-_CUT, _CUT)

    return Initializer(
        name="torch_trunc_normal",
        label="PyTorch trunc_normal_ (std 1), cut at ±2",
        sample=sample,
        weight_std=lambda fan_in, fan_out, activation: std * kept,
        formula=rf"\mathcal N(0, {std:g}^2)\text{{ cut at }}\pm 2",
        reference="torch.nn.init.trunc_normal_, whose ends a and b are −2 and 2 whatever the std",
        code=(
            f"{{a}} = ({RAND} * 2 - 1 + 2**-24) * {mass}\n"
            f"{{a}} = ({{a}}.erfinv() * (2 ** 0.5 * {std!r})).clamp(-2, 2)"
        ),
        multiply_adds=lambda n: _work(n) + 6e4,  # a sum and a cut
        law="gaussian" if ends >= _UNCUT else "independent",
    )


_SCALING = "keras.initializers.VarianceScaling, jax.nn.initializers.variance_scaling"

ENTRIES = (
    _at_two_std(
        "truncated_normal",
        "Truncated normal, rescaled to std 1",
        UNIT,
        r"\mathcal N(0, 1)\text{ cut at }\pm 2,\text{ rescaled to std } 1",
        "by inversion; the std of the cut normal is 0.8796",
    ),
    torch_trunc_normal(1.0),
    _at_two_std(
        "keras_truncated_normal",
        "Keras, JAX: truncated_normal (std 0.88)",
        UNIT,
        r"\mathcal N(0, 1)\text{ cut at }\pm 2",
        "keras.initializers.TruncatedNormal(stddev=1), jax.nn.initializers.truncated_normal(1), "
        "timm’s trunc_normal_tf_: cut at two std and not rescaled",
        kept=1.0,
    ),
    _at_two_std(
        "keras_he_normal",
        "Keras, JAX: he_normal",
        KAIMING,
        r"\mathcal N(0, 2/n_\text{in})\text{ cut at two std, rescaled}",
        f"{_SCALING} (scale 2, fan_in, truncated_normal)",
    ),
    _at_two_std(
        "keras_glorot_normal",
        "Keras, JAX: glorot_normal",
        XAVIER,
        r"\mathcal N(0, 2/(n_\text{in} + n_\text{out}))\text{ cut at two std, rescaled}",
        f"{_SCALING} (scale 1, fan_avg, truncated_normal)",
    ),
    _at_two_std(
        "keras_lecun_normal",
        "Keras, JAX: lecun_normal",
        LECUN,
        r"\mathcal N(0, 1/n_\text{in})\text{ cut at two std, rescaled}",
        f"{_SCALING} (scale 1, fan_in, truncated_normal)",
    ),
)
"""The rules of this kind, in the order of the menu."""
