"""a @ x for many networks at once, in law without a where that is possible.

Given x, fresh Gaussian weights make every unit of a @ x an independent N(0, s²‖x‖²): a layer costs
O(n) instead of O(n²), and nothing is approximated. Several inputs share the weights: the units are
then independent draws with covariance s²XᵀX. A Haar orthogonal matrix takes them to a uniform
orthonormal frame with the same inner products. One Gaussian matrix at every step is known by what
it did to the vectors that it met. For everything else there are the real matrices.

Reference: Matthews et al. 2018, arXiv:1804.11271; Mezzadri 2007, arXiv:math-ph/0609050; Bolthausen
2014, arXiv:1201.2891.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..maths.arrays import log2
from .activations import Activation
from .arithmetic import Apart
from .initializers import Initializer

_LEAST_NEW = 1e-6  # of a vector: less is rounding

Floats: TypeAlias = NDArray[np.float32]


class Fresh:
    """a @ x for fresh weights of known law: normal, or uniform on a sphere, whatever a is."""

    def __init__(self, std: float, orthogonal: bool, stream: Generator) -> None:
        """Args: std of the entries, or σ_w of an orthogonal matrix; which; the random numbers."""
        self._octaves, self._orthogonal, self._stream = log2(std), orthogonal, stream

    def times(self, x: Apart) -> Apart:
        """The next product."""
        z = torch.randn(x.numbers.shape, generator=self._stream)
        if x.numbers.shape[2] == 1:
            length = torch.linalg.vector_norm(x.numbers, dim=(1, 2)).double()
            if self._orthogonal:
                length = length / torch.linalg.vector_norm(z, dim=(1, 2)).double()
            return Apart(z, x.power + (length.log2() + self._octaves))
        if self._orthogonal:
            q, r = torch.linalg.qr(z)
            z = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
        near, power = _near_one(x)
        return Apart(z @ _gram_root(near).mT.float(), x.power + (power + self._octaves))


def _near_one(x: Apart) -> tuple[Tensor, Tensor]:
    """The numbers, the largest magnitude of each network between ½ and 1, and the power apart."""
    near = Apart.of(x.numbers).near_one()
    return near.numbers, near.power


def _gram_root(x: Tensor) -> Tensor:
    """C with C Cᵀ = XᵀX; it exists where that is singular too, as with equal or dead inputs."""
    values, vectors = torch.linalg.eigh(x.double().mT @ x.double())
    return vectors * values.clamp_min(0).sqrt().unsqueeze(1)


class Tied:
    """a @ x for one Gaussian a at every step, known by what it did to the x that it met.

    On a direction orthogonal to all of these it acts as a normal vector of its own, on the others
    as it did before: exact for any φ, while there are directions left.

    Reference: Bolthausen 2014, arXiv:1201.2891.
    """

    def __init__(
        self, networks: int, vectors: int, width: int, std: float, stream: Generator
    ) -> None:
        """Args: how many networks; vectors that they will meet; n; the entries' std; numbers."""
        self._octaves, self._stream = log2(std), stream
        self._known = 0
        room = (networks, vectors, width)
        self._met: Floats = np.zeros(room, np.float32)  # orthonormal rows, or rows of zeros
        self._became: Floats = np.zeros(room, np.float32)  # what a makes of them

    def times(self, x: Apart) -> Apart:
        """The next product."""
        near, power = _near_one(x)
        columns = [self._times(v.numpy()) for v in near.unsqueeze(-1).unbind(2)]
        products = torch.from_numpy(np.concatenate(columns, axis=2))
        return Apart(products, x.power + (power + self._octaves))

    def _times(self, v: Floats) -> Floats:
        """a @ v, for v of shape (networks, n, 1)."""
        k = self._known
        met, became = self._met[:, :k], self._became[:, :k]
        rest, parts = v, np.zeros((len(v), k, 1), np.float32)
        for _ in range(2):  # the second time for what rounding left
            more = met @ rest
            rest = rest - met.transpose(0, 2, 1) @ more
            parts += more
        length = np.linalg.norm(rest, axis=1, keepdims=True)
        is_new = length > _LEAST_NEW * np.linalg.norm(v, axis=1, keepdims=True)
        direction = np.divide(rest, length, out=np.zeros_like(rest), where=is_new)
        fresh = torch.randn(v.shape[:2], generator=self._stream).numpy()
        self._met[:, k], self._became[:, k] = direction[:, :, 0], fresh
        self._known += 1
        return became.transpose(0, 2, 1) @ parts + np.where(is_new, length, 0) * fresh[:, :, None]


class Matrices:
    """a @ x with real matrices: one for each network, and another for each layer of a fresh one."""

    def __init__(
        self,
        networks: int,
        rule: Initializer,
        phi: Activation,
        width: int,
        scale: float,
        fresh: bool,
        stream: Generator,
    ) -> None:
        """Args: how many networks, and the parts of ``Weights``; the random numbers."""
        self._networks, self._rule, self._phi, self._width = networks, rule, phi, width
        self._octaves, self._fresh, self._stream = log2(scale), fresh, stream
        self._a: Floats | None = None

    def times(self, x: Apart) -> Apart:
        """The next product."""
        if self._rule.fit is not None and self._fresh:  # fitted to x itself, at its true size
            x = Apart.of(x.numbers * torch.exp2(x.power).float().view(-1, 1, 1))
        if self._a is None or self._fresh:
            self._a = None  # the old ones go before the new ones come
            self._a = self._drawn(x.numbers)
        near, power = _near_one(x)
        # numpy's own loop over matrices is many times faster than torch's for a column or two.
        products = torch.from_numpy(self._a @ near.numpy())
        return Apart(products, x.power + (power + self._octaves))

    def _drawn(self, x: Tensor) -> Floats:
        n, sample = self._width, self._rule.sample
        drawn = [
            sample(n, n, self._phi, generator=self._stream).numpy() for _ in range(self._networks)
        ]
        a = np.stack(drawn)
        fit = self._rule.fit
        if fit is None:
            return a
        pairs = zip(torch.from_numpy(a), x, strict=True)
        return np.stack([fit(one, data).numpy() for one, data in pairs])
