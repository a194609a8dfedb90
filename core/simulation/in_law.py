"""W x for many networks at once, in law without W where that is possible.

Given x, fresh Gaussian weights make every unit of W x an independent N(0, s²‖x‖²): a layer costs
O(n) instead of O(n²), and nothing is approximated. Several inputs share the weights: the units are
then independent draws with covariance s²XᵀX. A Haar orthogonal matrix takes them to a uniform
orthonormal frame with the same inner products. One Gaussian matrix at every step is known by what
it did to the vectors that it met. For everything else there are the real matrices.

Numbers are kept near 1, with a power of two apart for each network.

Reference: Matthews et al. 2018, arXiv:1804.11271; Mezzadri 2007, arXiv:math-ph/0609050; Bolthausen
2014, arXiv:1201.2891.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..question.experiment import Experiment

_LEAST_NEW = 1e-6  # of a vector: less is rounding

Floats: TypeAlias = NDArray[np.float32]
Product: TypeAlias = Callable[[Experiment, Tensor, Generator], tuple[Tensor, Tensor]]
"""W x for x of shape (networks, n, inputs), as a tensor and a power of two for each network."""


def in_law(e: Experiment) -> type[Fresh] | type[Tied] | None:
    """How W x comes about without W, if it can."""
    law, vectors = e.rule.law, e.depth * e.batch_size
    if e.weights == "tied":
        return Tied if law == "gaussian" and vectors <= e.width // 2 else None
    fits = law == "gaussian" or (law == "orthogonal" and e.batch_size <= e.width)
    return Fresh if fits else None


class Fresh:
    """W x for fresh weights of known law: normal, or uniform on a sphere, whatever W is."""

    def __init__(self, count: int) -> None:
        pass

    def __call__(self, e: Experiment, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The next product."""
        z = torch.randn(x.shape, generator=generator)
        orthogonal = e.rule.law == "orthogonal"
        apart = log2(e.sigma_w if orthogonal else e.weight_std)
        if x.shape[2] == 1:
            length = torch.linalg.vector_norm(x, dim=(1, 2)).double()
            if orthogonal:
                length = length / torch.linalg.vector_norm(z, dim=(1, 2)).double()
            return z, length.log2() + apart
        if orthogonal:
            q, r = torch.linalg.qr(z)
            z = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
        # The Gram matrix is singular where inputs are equal or dead: this root exists even so.
        x, power = near_one(x, torch.zeros(len(x), dtype=torch.float64))
        values, vectors = torch.linalg.eigh(x.double().mT @ x.double())
        root = vectors * values.clamp_min(0).sqrt().unsqueeze(1)
        return z @ root.mT.float(), power + apart


class Tied:
    """W x for one Gaussian W at every step, known by what it did to the x that it met.

    On a direction orthogonal to all of these it acts as a normal vector of its own, on the others
    as it did before: exact for any φ, while there are directions left.

    Reference: Bolthausen 2014, arXiv:1201.2891.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.known = 0
        self.met: Floats | None = None  # orthonormal rows, or rows of zeros
        self.became: Floats | None = None  # what W makes of them

    def __call__(self, e: Experiment, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The next product."""
        if self.met is None:
            room = (self.count, e.depth * e.batch_size, e.width)
            self.met, self.became = np.zeros(room, np.float32), np.zeros(room, np.float32)
        x, power = near_one(x, torch.zeros(len(x), dtype=torch.float64))
        columns = [self._times(v.numpy(), generator) for v in x.unsqueeze(-1).unbind(2)]
        return torch.from_numpy(np.concatenate(columns, axis=2)), power + log2(e.weight_std)

    def _times(self, v: Floats, generator: Generator) -> Floats:
        """W v, for v of shape (networks, n, 1)."""
        assert self.met is not None
        assert self.became is not None
        k = self.known
        met, became = self.met[:, :k], self.became[:, :k]
        rest, parts = v, np.zeros((len(v), k, 1), np.float32)
        for _ in range(2):  # the second time for what rounding left
            more = met @ rest
            rest = rest - met.transpose(0, 2, 1) @ more
            parts += more
        length = np.linalg.norm(rest, axis=1, keepdims=True)
        is_new = length > _LEAST_NEW * np.linalg.norm(v, axis=1, keepdims=True)
        direction = np.divide(rest, length, out=np.zeros_like(rest), where=is_new)
        fresh = torch.randn(v.shape[:2], generator=generator).numpy()
        self.met[:, k], self.became[:, k] = direction[:, :, 0], fresh
        self.known += 1
        return became.transpose(0, 2, 1) @ parts + np.where(is_new, length, 0) * fresh[:, :, None]


class Matrices:
    """W x with real matrices: one for each network, and another for each layer of a fresh one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.a: Floats | None = None

    def __call__(self, e: Experiment, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The next product."""
        if self.a is None or e.weights == "fresh":
            self.a = None  # the old ones go before the new ones come
            self.a = np.stack(
                [
                    e.rule.sample(e.width, e.width, e.phi, generator=generator).numpy()
                    for _ in range(self.count)
                ]
            )
            if e.rule.fit is not None:
                pairs = zip(torch.from_numpy(self.a), x, strict=True)
                self.a = np.stack([e.rule.fit(a, one).numpy() for a, one in pairs])
        x, power = near_one(x, torch.zeros(len(x), dtype=torch.float64))
        # numpy's own loop over matrices is many times faster than torch's for a column or two.
        return torch.from_numpy(self.a @ x.numpy()), power + log2(e.scale)


def log2(value: float) -> float:
    """−inf for 0."""
    return float(np.log2(value)) if value > 0 else -np.inf


def powers(exponents: Tensor) -> Tensor:
    """Powers of two, to multiply networks by."""
    return torch.exp2(exponents).float().view(-1, 1, 1)


def near_one(x: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
    """The same with the largest magnitude between ½ and 1; zeros stay."""
    power = torch.frexp(x.abs().amax((1, 2))).exponent
    return x * torch.ldexp(torch.ones(len(x)), -power).view(-1, 1, 1), exponent + power
