"""a @ x for many networks at once, sampled from its exact law without drawing a where possible.

Fresh Gaussian weights of std s: given x, the units of a @ x are independent N(0, s²‖x‖²). A layer
costs O(n) instead of O(n²), and nothing is approximated. For several inputs, the columns of X, the
units are independent normal vectors with covariance s²XᵀX. A Haar orthogonal matrix maps X to a
uniformly distributed frame with the same inner products. One Gaussian matrix that is used at every
step is sampled by conditioning on its earlier products. All other weights are drawn as matrices.

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
from .scaled import ScaledNumbers
from .weights import Weights

_LEAST_NEW = 1e-6  # of a vector's length: a shorter residual is rounding of float32
_SINGULAR = 1e-12  # of the largest eigenvalue of a Gram matrix: a smaller one is rounding, too

Floats: TypeAlias = NDArray[np.float32]


class Fresh:
    """a @ x for fresh weights, Gaussian or Haar orthogonal, without the matrices.

    Args:
        fan_out: the number of rows of a.
        std: the standard deviation of Gaussian entries; the singular value of an orthogonal matrix.
        orthogonal: whether a is ``std`` times a Haar orthogonal matrix. One with fewer rows than
            columns is the first rows of a square one.
        stream: the source of random numbers.
        backward: whether aᵀ will be asked for.
    """

    def __init__(
        self,
        fan_out: int,
        std: float,
        orthogonal: bool,
        stream: Generator,
        *,
        backward: bool = False,
    ) -> None:
        self._fan_out, self._stream = fan_out, stream
        self._octaves, self._orthogonal = log2(std), orthogonal
        self._seen: list[tuple[ScaledNumbers, ScaledNumbers]] | None = [] if backward else None

    def times(self, x: ScaledNumbers) -> ScaledNumbers:
        """a @ x of the next layer, for x of shape (networks, n, inputs)."""
        y = self._drawn(x)
        if self._seen is not None:
            self._seen.append((x, y))
        return y

    def times_transposed(self, g: ScaledNumbers) -> ScaledNumbers:
        """aᵀ @ g of the last layer that is left, given a @ x there.

        aᵀg = X (XᵀX)⁻¹Yᵀg + the rest, which is across X. For Gaussian a the rest is a new normal
        matrix times the length of g; for an orthogonal a it has the length of the part of g that is
        across Y.
        """
        assert self._seen is not None
        x, y = (each.with_zeros.near_one() for each in self._seen.pop())
        e = g.near_one()
        if e.numbers.shape[2] == 1 and not self._orthogonal:
            return self._one_transposed(x, y, e)
        near_x, near_y, near_g = (each.numbers.double() for each in (x, y, e))
        inverse = _inverse_gram(near_x)
        known = near_x @ (inverse @ (near_y.mT @ near_g))
        z = torch.randn(near_x.shape, generator=self._stream).double()
        z = z - near_x @ (inverse @ (near_x.mT @ z))
        if self._orthogonal:
            near_g = near_g - near_y @ (_inverse_gram(near_y) @ (near_y.mT @ near_g))
            q, r = torch.linalg.qr(z)
            z = q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1)
        across = z @ _gram_root(near_g).mT
        one = ScaledNumbers(known.float(), e.power + (y.power - x.power))
        two = ScaledNumbers(across.float(), e.power + self._octaves)
        return one.plus(two)

    def _one_transposed(
        self, x: ScaledNumbers, y: ScaledNumbers, g: ScaledNumbers
    ) -> ScaledNumbers:
        """The same for Gaussian a and one input, where x, y and g are near one."""
        z = torch.randn(x.numbers.shape, generator=self._stream)
        square = _dot(x.numbers, x.numbers)
        inverse = torch.where(square > 0, 1 / square, 0.0)
        octaves = y.power - x.power
        common = octaves.clamp_min(self._octaves)
        length = _dot(g.numbers, g.numbers).sqrt() * torch.exp2(self._octaves - common)
        along = inverse * (
            _dot(y.numbers, g.numbers) * torch.exp2(octaves - common) - _dot(x.numbers, z) * length
        )
        numbers = z.mul_(length.float().view(-1, 1, 1))
        numbers += x.numbers * along.float().view(-1, 1, 1)
        return ScaledNumbers(numbers, g.power + common).near_one()

    def _drawn(self, x: ScaledNumbers) -> ScaledNumbers:
        networks, fan_in, inputs = x.numbers.shape
        rows = max(self._fan_out, fan_in) if self._orthogonal else self._fan_out
        z = torch.randn((networks, rows, inputs), generator=self._stream)
        if inputs == 1:
            length = torch.linalg.vector_norm(x.numbers, dim=(1, 2)).double()
            if self._orthogonal:
                length = length / torch.linalg.vector_norm(z, dim=(1, 2)).double()
            power = x.power + (length.log2() + self._octaves)
            power = torch.where(length > 0, power, -torch.inf)
            return ScaledNumbers(z[:, : self._fan_out], power)
        if self._orthogonal:
            q, r = torch.linalg.qr(z)
            z = (q * r.diagonal(dim1=1, dim2=2).sign().unsqueeze(1))[:, : self._fan_out]
        near, power = _near_one(x)
        return ScaledNumbers(z @ _gram_root(near).mT.float(), x.power + (power + self._octaves))


def _dot(x: Tensor, y: Tensor) -> Tensor:
    """The inner product of each network's vectors of shape (networks, n, 1), in float64."""
    return torch.linalg.vecdot(x, y, dim=1).view(-1).double()


def _inverse_gram(x: Tensor) -> Tensor:
    """(XᵀX)⁻¹, a pseudo-inverse where X has not full rank, for x of shape (networks, n, inputs)."""
    gram = x.mT @ x
    if gram.shape[1] == 1:
        return torch.where(gram > 0, 1 / gram, 0.0)
    # Inputs that a batch norm has centred leave an eigenvalue that is rounding: some 1e-15.
    return torch.linalg.pinv(gram, rtol=_SINGULAR, hermitian=True)


def _near_one(x: ScaledNumbers) -> tuple[Tensor, Tensor]:
    """x's numbers with the largest of each network in [½, 1), and the exponents taken out."""
    near = ScaledNumbers.of(x.numbers).near_one()
    return near.numbers, near.power


def _gram_root(x: Tensor) -> Tensor:
    """C with C Cᵀ = XᵀX, also where XᵀX is singular, as with equal or all-zero inputs."""
    values, vectors = torch.linalg.eigh(x.double().mT @ x.double())
    root = vectors * values.clamp_min(0).sqrt().unsqueeze(1)
    # Rounding leaves 1e-8 of the other inputs in the row of an input that is all zero.
    return torch.where((x != 0).any(1).unsqueeze(2), root, 0.0)


class Tied:
    """a @ x for one Gaussian matrix a at every step, by conditioning on its earlier products.

    On the span of the earlier x, a is known. On the part of x that is orthogonal to that span, a
    acts as a new normal vector. This is exact for any φ, as long as there are at most n vectors.

    Args:
        networks: how many.
        vectors: how many vectors a will multiply: depth times inputs.
        width: n.
        std: the standard deviation of the entries.
        stream: the source of random numbers.
        backward: whether aᵀ will be asked for, as many times.

    Reference: Bolthausen 2014, arXiv:1201.2891.
    """

    def __init__(
        self,
        networks: int,
        vectors: int,
        width: int,
        std: float,
        stream: Generator,
        *,
        backward: bool = False,
    ) -> None:
        self._octaves, self._stream = log2(std), stream
        self._known = self._known_back = 0
        shape = (networks, vectors, width)
        self._directions: Floats = np.zeros(shape, np.float32)  # orthonormal rows, or zero rows
        self._images: Floats = np.zeros(shape, np.float32)  # a @ each direction
        back = shape if backward else (networks, 0, width)
        self._directions_back: Floats = np.zeros(back, np.float32)  # of g, orthonormal or zero
        self._images_back: Floats = np.zeros(back, np.float32)  # aᵀ @ each, across every x

    def times(self, x: ScaledNumbers) -> ScaledNumbers:
        """a @ x of the next layer, for x of shape (networks, n, inputs)."""
        near, power = _near_one(x)
        columns = [self._times(v.numpy()) for v in near.unsqueeze(-1).unbind(2)]
        products = torch.from_numpy(np.concatenate(columns, axis=2))
        return ScaledNumbers(products, x.power + (power + self._octaves))

    def times_transposed(self, g: ScaledNumbers) -> ScaledNumbers:
        """aᵀ @ g, for g of shape (networks, n, inputs), after all products with a."""
        near, power = _near_one(g)
        columns = [self._times_transposed(v.numpy()) for v in near.unsqueeze(-1).unbind(2)]
        products = torch.from_numpy(np.concatenate(columns, axis=2))
        return ScaledNumbers(products, g.power + (power + self._octaves)).near_one()

    def _times_transposed(self, v: Floats) -> Floats:
        """aᵀ @ v for v of shape (networks, n, 1): known along every x, new across them."""
        k = self._known_back
        directions, images = self._directions[:, : self._known], self._images[:, : self._known]
        earlier, across = self._directions_back[:, :k], self._images_back[:, :k]
        parts, direction, length, is_new = _split(v, earlier)
        image: Floats = torch.randn(v.shape, generator=self._stream).numpy()
        for _ in range(2):
            image = image - directions.transpose(0, 2, 1) @ (directions @ image)
        self._directions_back[:, k], self._images_back[:, k] = direction[..., 0], image[..., 0]
        self._known_back += 1
        along = directions.transpose(0, 2, 1) @ (images @ v)
        return along + across.transpose(0, 2, 1) @ parts + np.where(is_new, length, 0) * image

    def _times(self, v: Floats) -> Floats:
        """a @ v, for v of shape (networks, n, 1)."""
        k = self._known
        directions, images = self._directions[:, :k], self._images[:, :k]
        parts, direction, length, is_new = _split(v, directions)
        image = torch.randn(v.shape[:2], generator=self._stream).numpy()
        self._directions[:, k], self._images[:, k] = direction[:, :, 0], image
        self._known += 1
        return images.transpose(0, 2, 1) @ parts + np.where(is_new, length, 0) * image[:, :, None]


def _split(v: Floats, directions: Floats) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """v along orthonormal directions, and the rest as a new direction, its length, if it is new.

    Args:
        v: shape (networks, n, 1).
        directions: shape (networks, known, n).
    """
    residual, parts = v, np.zeros((len(v), directions.shape[1], 1), np.float32)
    for _ in range(2):  # Gram–Schmidt twice: the second pass removes what rounding left
        projection = directions @ residual
        residual = residual - directions.transpose(0, 2, 1) @ projection
        parts += projection
    length = np.linalg.norm(residual, axis=1, keepdims=True)
    is_new = length > _LEAST_NEW * np.linalg.norm(v, axis=1, keepdims=True)
    direction = np.divide(residual, length, out=np.zeros_like(residual), where=is_new)
    return parts, direction, length, is_new


class Matrices:
    """a @ x with real matrices: one per network, drawn anew for every layer if weights are fresh.

    Args:
        networks: how many.
        weights: how they are drawn.
        stream: the source of random numbers.
        backward: whether aᵀ will be asked for; fresh matrices are then drawn again.
    """

    def __init__(
        self, networks: int, weights: Weights, stream: Generator, *, backward: bool = False
    ) -> None:
        self._networks, self._weights, self._stream = networks, weights, stream
        self._octaves, self._fresh, self._rule = log2(weights.scale), weights.fresh, weights.rule
        self._a: Floats | None = None
        self._drawn_from: list[tuple[Tensor, ScaledNumbers]] | None = [] if backward else None

    def times(self, x: ScaledNumbers) -> ScaledNumbers:
        """a @ x of the next layer, for x of shape (networks, n, inputs)."""
        if self._rule.fit is not None and (self._a is None or self._fresh):  # at x's true size
            x = ScaledNumbers.of(x.numbers * torch.exp2(x.power).float().view(-1, 1, 1))
        if self._a is None or self._fresh:
            self._a = None  # frees the old matrices before the new ones are drawn
            if self._drawn_from is not None:
                self._drawn_from.append((self._stream.get_state(), x))
            self._a = self._drawn(x.numbers)
        near, power = _near_one(x)
        # NumPy's loop over matrices is many times faster than torch's for one or two columns.
        products = torch.from_numpy(self._a @ near.numpy())
        return ScaledNumbers(products, x.power + (power + self._octaves))

    def times_transposed(self, g: ScaledNumbers) -> ScaledNumbers:
        """aᵀ @ g of the last layer that is left."""
        assert self._drawn_from is not None
        if self._fresh:
            now = self._stream.get_state()
            state, x = self._drawn_from.pop()
            self._stream.set_state(state)
            self._a = self._drawn(x.numbers)
            self._stream.set_state(now)
        assert self._a is not None
        near, power = _near_one(g)
        products = torch.from_numpy(self._a.transpose(0, 2, 1) @ near.numpy())
        return ScaledNumbers(products, g.power + (power + self._octaves)).near_one()

    def _drawn(self, x: Tensor) -> Floats:
        w = self._weights
        drawn = [
            w.rule.sample(w.fan_in, w.fan_out, w.phi, generator=self._stream).numpy()
            for _ in range(self._networks)
        ]
        a = np.stack(drawn)
        fit = w.rule.fit
        if fit is None:
            return a
        pairs = zip(torch.from_numpy(a), x, strict=True)
        return np.stack([fit(one, data).numpy() for one, data in pairs])
