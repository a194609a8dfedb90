"""ACTIVATIONS: the elementwise functions φ that can follow each product."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from ..maths import closed_forms
from ..maths.quadrature import TensorFunction, gaussian_expectation

_USUAL = 0.003  # microseconds of an element, for a φ that is not in the registry
_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@dataclass(frozen=True)
class Activation:
    """An elementwise function φ, with its derivative, its text and its known moments.

    Attributes:
        name: registry key; travels in links, never renamed.
        function: φ on tensors of any floating dtype; it keeps shape and dtype.
        derivative: φ′; at a kink it has the value that torch's own module gives it (ReLU: 0).
        formula: φ in LaTeX.
        reference: the source of φ, such as a paper.
        code: φ as a PyTorch expression of ``x``, with the same bits as ``function``.
        backward_code: φ′(h)·g as a PyTorch expression of ``h`` and ``g``, with the bits of torch's
            own backward, also at kinks, ±Inf and NaN.
        kinks: the points at which φ is not smooth; quadrature is cut there.
        positively_homogeneous: whether φ(s·x) = s·φ(x) for every s > 0.
        closed_form: the moments known in closed form; all others are computed by quadrature.
        label: its name in menus; without one, the registry key.
        is_typed: whether it comes from a formula that a viewer typed.
        microseconds: of one element among many, measured, between those of float32 and float64.
    """

    name: str
    function: TensorFunction
    derivative: TensorFunction
    formula: str
    reference: str
    code: str
    backward_code: str
    kinks: tuple[float, ...] = (0.0,)
    positively_homogeneous: bool = False
    closed_form: closed_forms.Moments | None = None
    label: str = ""
    is_typed: bool = False
    microseconds: float = _USUAL

    def __call__(self, x: Tensor) -> Tensor:
        """φ(x), of the shape and dtype of ``x``."""
        return self.function(x)

    @cached_property
    def backward(self) -> Callable[[Tensor, Tensor], Tensor]:
        """The function of ``backward_code``: (h, g) → φ′(h)·g, in the dtype of h and g."""
        made: Callable[[Tensor, Tensor], Tensor] = eval(
            f"lambda h, g: {self.backward_code}", {"torch": torch}
        )
        return made

    @cached_property
    def gain(self) -> float:
        """1/√E[φ(z)²] for z ~ N(0, 1): the gain that keeps the second moment of a unit signal.

        It is √2 for ReLU.

        Reference: He et al. 2015, arXiv:1502.01852, eq. 10, here for any φ.
        """
        return gaussian_expectation(lambda z: self.function(z) ** 2, breaks=self.kinks) ** -0.5


def _step(x: Tensor) -> Tensor:
    return (x > 0).to(x.dtype)


def _between(x: Tensor, low: float, high: float) -> Tensor:
    return ((x > low) & (x < high)).to(x.dtype)


def _normal_cdf(x: Tensor) -> Tensor:
    return torch.special.ndtr(x)


def _normal_pdf(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _silu_derivative(x: Tensor) -> Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


def _mish_derivative(x: Tensor) -> Tensor:
    t = torch.tanh(F.softplus(x))
    return t + x * torch.sigmoid(x) * (1 - t * t)


def leaky_relu(negative_slope: float) -> Activation:
    """ReLU with a slope below zero.

    Args:
        negative_slope: the slope for x < 0; 0 gives ReLU, and 1 gives the identity.
    """
    return Activation(
        name="leaky_relu",
        label="Leaky ReLU",
        function=lambda x: F.leaky_relu(x, negative_slope),
        derivative=lambda x: torch.ones_like(x).masked_fill_(x <= 0, negative_slope),
        formula=rf"\max(x, 0) + {negative_slope:g}\min(x, 0)",
        reference="Maas, Hannun & Ng 2013, Rectifier nonlinearities improve acoustic models",
        code=f"torch.nn.functional.leaky_relu(x, {negative_slope!r})",
        backward_code=f"torch.ops.aten.leaky_relu_backward(g, h, {negative_slope!r}, False)",
        microseconds=0.0002,
        positively_homogeneous=True,
        closed_form=closed_forms.leaky_relu(negative_slope),
    )


def prelu(init: float) -> Activation:
    """ReLU with a slope below zero that is a weight, and so is rounded to the number format.

    Args:
        init: the slope before training.
    """

    def weight(x: Tensor) -> Tensor:
        return torch.tensor([init], dtype=x.dtype, device=x.device)

    like = "torch.tensor([{0!r}], dtype={1}.dtype, device={1}.device)"
    held, gone = like.format(init, "x"), like.format(init, "h")
    return replace(
        leaky_relu(init),
        name="prelu",
        label="PReLU",
        function=lambda x: F.prelu(x, weight(x)),
        reference="He et al. 2015, arXiv:1502.01852 (before training)",
        code=f"torch.nn.functional.prelu(x, {held})",
        backward_code=f"torch.ops.aten._prelu_kernel_backward(g, h, {gone})[0]",
    )


def elu(alpha: float) -> Activation:
    """The identity above zero and α(eˣ − 1) below.

    Args:
        alpha: α > 0; at other values than 1, φ has a kink at zero.
    """
    return Activation(
        name="elu",
        label="ELU",
        function=lambda x: F.elu(x, alpha),
        derivative=lambda x: torch.where(x > 0, 1.0, alpha * torch.exp(x)).to(x.dtype),
        formula=rf"x\;(x>0),\quad {_factor(alpha)}(e^x - 1)\;(x\le 0)",
        reference="Clevert, Unterthiner & Hochreiter 2016, arXiv:1511.07289",
        code=f"torch.nn.functional.elu(x{_unless_one(alpha)})",
        backward_code=f"torch.ops.aten.elu_backward(g, {alpha:.17g}, 1, 1, False, h)",
        microseconds=0.0025,
        closed_form=closed_forms.elu(1.0, alpha),
    )


def celu(alpha: float) -> Activation:
    """The identity above zero and α(e^{x/α} − 1) below, smooth at zero.

    Args:
        alpha: α > 0.
    """
    unit = closed_forms.elu(1.0, 1.0)
    inverse = 1 / torch.tensor(alpha, dtype=torch.float32).item()  # as torch's own backward has it
    return Activation(
        name="celu",
        label="CELU",
        function=lambda x: torch.celu(x, alpha),
        derivative=lambda x: torch.where(x > 0, 1.0, torch.exp(x / alpha)).to(x.dtype),
        formula=rf"x\;(x>0),\quad {_factor(alpha)}(e^{{x/{alpha:g}}} - 1)\;(x\le 0)",
        reference="Barron 2017, arXiv:1704.07483",
        code=f"torch.celu(x{_unless_one(alpha)})",
        backward_code=f"torch.ops.aten.elu_backward(g, {alpha!r}, 1, {inverse!r}, False, h)",
        microseconds=0.0025,
        closed_form=closed_forms.rescaled(unit, inner=1 / alpha, outer=alpha),
    )


def _factor(value: float) -> str:
    return "" if value == 1 else rf"{value:g}\,"


def _unless_one(value: float) -> str:
    return "" if value == 1 else f", {value!r}"


def _gelu_tanh_derivative(x: Tensor) -> Tensor:
    root, cubic = math.sqrt(2 / math.pi), 0.044715
    t = torch.tanh(root * (x + cubic * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t * t) * root * (1 + 3 * cubic * x * x)


_ENTRIES = (
    Activation(
        name="linear",
        label="Linear (none)",
        function=lambda x: x,
        derivative=torch.ones_like,
        formula="x",
        reference="the bare product, as in the lesson",
        code="x",
        backward_code="g",
        microseconds=0.0,
        positively_homogeneous=True,
        closed_form=closed_forms.leaky_relu(1.0),
    ),
    Activation(
        name="relu",
        label="ReLU",
        function=lambda x: x.clamp_min(0),
        derivative=_step,
        formula=r"\max(x, 0)",
        reference="Nair & Hinton 2010, Rectified linear units improve RBMs",
        code="x.clamp_min(0)",
        backward_code="torch.ops.aten.threshold_backward(g, h, 0)",
        microseconds=0.0002,
        positively_homogeneous=True,
        closed_form=closed_forms.leaky_relu(0.0),
    ),
    leaky_relu(0.01),
    Activation(
        name="tanh",
        label="tanh",
        function=torch.tanh,
        derivative=lambda x: 1 - torch.tanh(x) ** 2,
        formula=r"\tanh x",
        reference="LeCun et al. 1998, Efficient BackProp",
        code="torch.tanh(x)",
        backward_code="torch.ops.aten.tanh_backward(g, torch.tanh(h))",
        microseconds=0.004,
    ),
    Activation(
        name="sigmoid",
        label="Sigmoid",
        function=torch.sigmoid,
        derivative=lambda x: torch.sigmoid(x) * torch.sigmoid(-x),
        formula=r"\frac{1}{1 + e^{-x}}",
        reference="Glorot & Bengio 2010, section 3.1",
        code="torch.sigmoid(x)",
        backward_code="torch.ops.aten.sigmoid_backward(g, torch.sigmoid(h))",
        microseconds=0.001,
    ),
    Activation(
        name="erf",
        label="erf",
        function=torch.erf,
        derivative=lambda x: 2 / math.sqrt(math.pi) * torch.exp(-x * x),
        formula=r"\operatorname{erf} x",
        reference="Williams 1997, Computing with infinite networks",
        code="torch.erf(x)",
        backward_code="1.1283791670955126 * torch.exp(-h.pow(2)) * g",
        microseconds=0.0029,
        closed_form=closed_forms.erf(),
    ),
    Activation(
        name="gelu",
        label="GELU",
        function=F.gelu,
        derivative=lambda x: _normal_cdf(x) + x * _normal_pdf(x),
        formula=r"x\,\Phi(x)",
        reference="Hendrycks & Gimpel 2016, arXiv:1606.08415 (the exact form)",
        code="torch.nn.functional.gelu(x)",
        backward_code="torch.ops.aten.gelu_backward(g, h)",
        microseconds=0.002,
        closed_form=closed_forms.gelu(),
    ),
    Activation(
        name="silu",
        label="SiLU (Swish)",
        function=F.silu,
        derivative=_silu_derivative,
        formula=r"\frac{x}{1 + e^{-x}}",
        reference="Elfwing, Uchibe & Doya 2018, arXiv:1702.03118",
        code="torch.nn.functional.silu(x)",
        backward_code="torch.ops.aten.silu_backward(g, h)",
        microseconds=0.001,
    ),
    elu(1.0),
    Activation(
        name="selu",
        label="SELU",
        function=torch.selu,
        derivative=lambda x: (_SELU_SCALE * torch.where(x > 0, 1.0, _SELU_ALPHA * torch.exp(x))).to(
            x.dtype
        ),
        formula=r"\lambda x\;(x>0),\quad \lambda\alpha(e^x - 1)\;(x\le 0)",
        reference="Klambauer et al. 2017, arXiv:1706.02515",
        code="torch.selu(x)",
        backward_code=(
            f"torch.ops.aten.elu_backward(g, {_SELU_ALPHA!r}, {_SELU_SCALE!r}, 1, False, h)"
        ),
        microseconds=0.0025,
        closed_form=closed_forms.elu(_SELU_SCALE, _SELU_ALPHA),
    ),
    Activation(
        name="softplus",
        label="Softplus",
        function=F.softplus,
        derivative=torch.sigmoid,
        formula=r"\ln(1 + e^x)",
        reference="Dugas et al. 2001, Incorporating second-order functional knowledge",
        code="torch.nn.functional.softplus(x)",
        backward_code="torch.ops.aten.softplus_backward(g, h, 1, 20)",
        microseconds=0.0035,
    ),
    Activation(
        name="mish",
        label="Mish",
        function=F.mish,
        derivative=_mish_derivative,
        formula=r"x \tanh(\ln(1 + e^x))",
        reference="Misra 2019, arXiv:1908.08681",
        code="torch.nn.functional.mish(x)",
        backward_code="torch.ops.aten.mish_backward(g, h)",
        microseconds=0.0065,
    ),
    Activation(
        name="hardtanh",
        label="Hardtanh",
        function=F.hardtanh,
        derivative=lambda x: _between(x, -1.0, 1.0),
        formula=r"\min(\max(x, -1), 1)",
        reference="Collobert 2004, Large scale machine learning",
        code="torch.nn.functional.hardtanh(x)",
        backward_code="torch.ops.aten.hardtanh_backward(g, h, -1, 1)",
        microseconds=0.0002,
        kinks=(-1.0, 1.0),
        closed_form=closed_forms.clipped_ramp(1.0, odd=True),
    ),
    Activation(
        name="relu6",
        label="ReLU6",
        function=F.relu6,
        derivative=lambda x: _between(x, 0.0, 6.0),
        formula=r"\min(\max(x, 0), 6)",
        reference="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
        code="torch.nn.functional.relu6(x)",
        backward_code="torch.ops.aten.hardtanh_backward(g, h, 0, 6)",
        microseconds=0.0002,
        kinks=(0.0, 6.0),
        closed_form=closed_forms.clipped_ramp(6.0, odd=False),
    ),
    Activation(
        name="softsign",
        label="Softsign",
        function=F.softsign,
        derivative=lambda x: (1 + x.abs()) ** -2,
        formula=r"\frac{x}{1 + |x|}",
        reference="Glorot & Bengio 2010, section 3.2",
        code="torch.nn.functional.softsign(x)",
        backward_code="g / (1 + h.abs()) - g * (h / (1 + h.abs()) / (1 + h.abs())) * h.sgn()",
        microseconds=0.0007,
    ),
    Activation(
        name="relu_squared",
        label="ReLU squared",
        function=lambda x: x.clamp_min(0) ** 2,
        derivative=lambda x: 2 * x.clamp_min(0),
        formula=r"\max(x, 0)^2",
        reference="So et al. 2021, Primer, arXiv:2109.08668",
        code="x.clamp_min(0) ** 2",
        backward_code="torch.ops.aten.threshold_backward(g * (2 * h), h, 0)",
        microseconds=0.0005,
        closed_form=closed_forms.relu_squared(),
    ),
    Activation(
        name="sin",
        label="sin",
        function=torch.sin,
        derivative=torch.cos,
        formula=r"\sin x",
        reference="Sitzmann et al. 2020, arXiv:2006.09661",
        code="torch.sin(x)",
        backward_code="g * torch.cos(h)",
        microseconds=0.002,
        closed_form=closed_forms.sin(),
    ),
    Activation(
        name="abs",
        label="Absolute value |x|",
        function=torch.abs,
        derivative=torch.sign,
        formula="|x|",
        reference="Bruna & Mallat 2013, Invariant scattering convolution networks",
        code="x.abs()",
        backward_code="g * h.sgn()",
        microseconds=0.0002,
        positively_homogeneous=True,
        closed_form=closed_forms.leaky_relu(-1.0),
    ),
    Activation(
        name="gelu_tanh",
        label="GELU (tanh form)",
        function=lambda x: F.gelu(x, approximate="tanh"),
        derivative=_gelu_tanh_derivative,
        formula=r"\tfrac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)",
        reference="Hendrycks & Gimpel 2016, arXiv:1606.08415 (the form with tanh, GPT-2’s)",
        code='torch.nn.functional.gelu(x, approximate="tanh")',
        backward_code='torch.ops.aten.gelu_backward(g, h, approximate="tanh")',
        microseconds=0.002,
    ),
    Activation(
        name="hardswish",
        label="Hardswish",
        function=F.hardswish,
        derivative=lambda x: torch.where(x > 3, 1.0, (x / 3 + 0.5) * (x > -3)).to(x.dtype),
        formula=r"\tfrac{x}{6}\min(\max(x + 3, 0), 6)",
        reference="Howard et al. 2019, MobileNetV3, arXiv:1905.02244",
        code="torch.nn.functional.hardswish(x)",
        backward_code="torch.ops.aten.hardswish_backward(g, h)",
        microseconds=0.0005,
        kinks=(-3.0, 3.0),
    ),
    celu(1.0),
    prelu(0.25),
)

ACTIVATIONS: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}

ALIASES = {
    "swish": "silu",
    "identity": "linear",
    "nn.identity": "linear",
    "logistic": "sigmoid",
    "lrelu": "leaky_relu",
    "gelunew": "gelu_tanh",
    "hswish": "hardswish",
    "squaredrelu": "relu_squared",
    "relu2": "relu_squared",
    "sine": "sin",
}
"""Names in other libraries, in lower case and without - and _ -> the registry key."""
