"""The initialiser that a text names: a registry key, or a name with a number."""

from __future__ import annotations

from functools import lru_cache

from . import sparse, truncated
from .families import Family, member_of
from .initializer import Initializer
from .initializers import ALIASES, INITIALIZERS
from .refused import RefusedError

OPEN = "a name with a number such as torch_trunc_normal(0.02) or sparse(kept=0.5)"
"""The texts besides registry keys that name an entry, in words."""

FAMILIES: dict[str, Family[Initializer]] = {
    each.name: each
    for each in (
        Family(
            INITIALIZERS["torch_trunc_normal"],
            "std",
            usual=1.0,
            minimum=1e-6,
            maximum=100.0,
            make=truncated.torch_trunc_normal,
        ),
        Family(
            INITIALIZERS["sparse"],
            "kept",
            usual=sparse.USUAL_SHARE,
            minimum=1e-6,
            maximum=1.0,
            make=sparse.sparse,
            is_written=True,
            meaning="the share that is not zero; torch's sparsity is 1 − kept",
        ),
    )
}
"""Registry key -> the family whose member with the usual number has that key."""


@lru_cache(maxsize=256)
def initializer_of(name: str) -> Initializer:
    """The initialiser with this name.

    Args:
        name: a registry key, or a name with a number.

    Raises:
        RefusedError: a ValueError that says what of a name with a number is not accepted; without
            words for a text of another form.
    """
    found = INITIALIZERS.get(name) or member_of(name, FAMILIES, ALIASES)
    if found is None:
        raise RefusedError
    return found
