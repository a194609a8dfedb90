"""BRANCHES, NORMS and the layer that is made of them: norm_after(skip(x) + α·branch(x))."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .bias import Bias
from .elementwise import Elementwise
from .norm import Norm
from .operation import Operation
from .product import Product
from .skip import Skip
from .stack import Layer
from .weights import Weights


@dataclass(frozen=True)
class Block:
    """What a layer is built from.

    Attributes:
        weights: how a square matrix is drawn, and φ.
        bias_std: σ_b.
        branch: a key of BRANCHES.
        expansion: the hidden width of a branch with two products, over n.
        skip: whether x is added to the branch.
        branch_scale: α, the factor of a branch beside a skip.
        norm: a key of NORMS.
        norm_place: a key of NORM_PLACES.
        inputs: the number of inputs in the batch.
    """

    weights: Weights
    bias_std: float
    branch: str = "product"
    expansion: int = 4
    skip: bool = False
    branch_scale: float = 1.0
    norm: str = "none"
    norm_place: str = "before"
    inputs: int = 1

    def layer(self) -> Layer:
        """The operations, in the order of application; what is off is not among them."""
        norm = NORMS[self.norm].operation
        norms = [] if norm is None else [norm(self.inputs)]
        place = self.norm_place
        branch = BRANCHES[self.branch].build(self, norms if place == "inside" else [])
        if place == "before":
            branch = [*norms, *branch]
        whole: list[Operation] = branch
        if self.skip:
            whole = [Skip(Layer(tuple(branch)), self.branch_scale)]
        if place == "after":
            whole = [*whole, *norms]
        return Layer(tuple(whole))

    def _affine(self, weights: Weights, number: str = "") -> list[Operation]:
        """a @ x + b, without b if its std is 0 and it is not fitted."""
        fits = weights.rule.fits_bias
        has_bias = fits or self.bias_std > 0
        biases = [Bias(self.bias_std, weights.fresh, f"b{number}", fits)] if has_bias else []
        return [Product.of(weights, f"a{number}"), *biases]

    @property
    def _phi(self) -> list[Operation]:
        """φ; nothing if it is linear."""
        phi = self.weights.phi
        return [] if phi.name == "linear" else [Elementwise(phi)]

    def product(self, inside: list[Norm]) -> list[Operation]:
        """φ(norm(a @ x + b))."""
        return [*self._affine(self.weights), *inside, *self._phi]

    def preactivation(self, inside: list[Norm]) -> list[Operation]:
        """a @ norm(φ(x)) + b."""
        return [*self._phi, *inside, *self._affine(self.weights)]

    def mlp(self, inside: list[Norm]) -> list[Operation]:
        """a₂ @ φ(norm(a₁ @ x + b₁)) + b₂, with ``expansion``·n hidden units."""
        n = self.weights.fan_in
        up = replace(self.weights, fan_out=self.expansion * n, rows="m")
        down = replace(self.weights, fan_in=self.expansion * n)
        return [*self._affine(up, "1"), *inside, *self._phi, *self._affine(down, "2")]


@dataclass(frozen=True)
class Branch:
    """A branch of a layer.

    Attributes:
        name: registry key; travels in links, never renamed.
        label: its name in menus.
        build: (what it is built from, the norm inside, if any) -> its operations.
    """

    name: str
    label: str
    build: Callable[[Block, list[Norm]], list[Operation]]


BRANCHES: dict[str, Branch] = {
    each.name: each
    for each in (
        Branch("product", "φ(a x + b)", Block.product),
        Branch("preactivation", "a φ(x) + b", Block.preactivation),
        Branch("mlp", "a₂ φ(a₁ x + b₁) + b₂", Block.mlp),
    )
}


@dataclass(frozen=True)
class NormKind:
    """A kind of norm.

    Attributes:
        name: registry key; travels in links, never renamed.
        label: its name in menus.
        operation: number of inputs -> the operation; None for no norm.
        symbol: its name in a formula.
        least_inputs: the least batch that it can be taken of.
    """

    name: str
    label: str
    operation: Callable[[int], Norm] | None = None
    symbol: str = ""
    least_inputs: int = 1


NORMS: dict[str, NormKind] = {
    each.name: each
    for each in (
        NormKind("none", "none"),
        NormKind("layer", "layer norm", lambda inputs: Norm("units", True), "LN"),
        NormKind("rms", "RMS norm", lambda inputs: Norm("units", False), "RMS"),
        NormKind("batch", "batch norm", lambda inputs: Norm("inputs", True, inputs), "BN", 2),
    )
}

NORM_PLACES: dict[str, str] = {
    "before": "in front of the branch",
    "inside": "between product and φ",
    "after": "behind the sum",
}
"""Place of a norm -> its name in menus."""

SKIPS: dict[str, str] = {"none": "none", "identity": "identity"}
"""What is added to a branch -> its name in menus."""
