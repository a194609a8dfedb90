"""Transformers: GPT-2's decoder and a small vision transformer.

References: Radford et al. 2019, Language models are unsupervised multitask learners, section 2.3;
Dosovitskiy et al. 2021, arXiv:2010.11929; Touvron et al. 2021, arXiv:2012.12877 (ViT-tiny).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_STD = 0.02


class Attention(nn.Module):
    """Self-attention with several heads.

    Args:
        width: numbers per token.
        heads: how many.
        causal: whether a token sees only those before it.
    """

    def __init__(self, width: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.heads, self.causal = heads, causal

    def forward(self, x: Tensor) -> Tensor:
        """From (inputs, tokens, width) to the same shape."""
        inputs, tokens, width = x.shape
        split = (inputs, tokens, self.heads, width // self.heads)
        q, k, v = (each.view(split).transpose(1, 2) for each in self.qkv(x).chunk(3, dim=-1))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.proj(mixed.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    """Attention and an MLP, each a branch beside the stream.

    Args:
        width: numbers per token.
        heads: of the attention.
        causal: as of `Attention`.
        norm_place: "before" each branch (pre-norm), "after" each addition (post-norm), or "none".
        scale: what each branch is multiplied by.
    """

    def __init__(
        self, width: int, heads: int, *, causal: bool, norm_place: str, scale: float
    ) -> None:
        super().__init__()
        normed = norm_place != "none"
        self.norm_1 = nn.LayerNorm(width) if normed else nn.Identity()
        self.attention = Attention(width, heads, causal=causal)
        self.norm_2 = nn.LayerNorm(width) if normed else nn.Identity()
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.norm_place, self.scale = norm_place, scale

    def forward(self, x: Tensor) -> Tensor:
        """From (inputs, tokens, width) to the same shape."""
        for norm, branch in ((self.norm_1, self.attention), (self.norm_2, self.mlp)):
            if self.norm_place == "after":
                x = norm(x + self._scaled(branch(x)))
            else:
                x = x + self._scaled(branch(norm(x)))
        return x

    def _scaled(self, branch: Tensor) -> Tensor:
        return branch if self.scale == 1 else self.scale * branch


class GPT(nn.Module):
    """GPT-2: tokens and places, blocks, a norm, and a head that is the matrix of the tokens.

    Args:
        depth, width, heads: of the blocks.
        vocabulary: how many tokens there are.
        most_tokens: how many places there are.
        norm_place, scale: of `Block`.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        heads: int,
        *,
        vocabulary: int = 50257,
        most_tokens: int = 1024,
        norm_place: str = "before",
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(most_tokens, width)
        self.blocks = nn.Sequential(
            *(
                Block(width, heads, causal=True, norm_place=norm_place, scale=scale)
                for _ in range(depth)
            )
        )
        self.norm = nn.LayerNorm(width) if norm_place == "before" else nn.Identity()
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (inputs, tokens, vocabulary) of tokens (inputs, tokens)."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.places(places)
        return self.head(self.norm(self.blocks(x)))


class ViT(nn.Module):
    """A vision transformer that classifies by a token of its own.

    Args:
        depth, width, heads: of the blocks.
        patch, side: of a patch and of the image, in pixels.
        classes: outputs.
        norm_place, scale: of `Block`.
    """

    def __init__(
        self,
        depth: int,
        width: int,
        heads: int,
        *,
        patch: int = 16,
        side: int = 224,
        classes: int = 1000,
        norm_place: str = "before",
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, (side // patch) ** 2 + 1, width) * _STD)
        self.blocks = nn.Sequential(
            *(
                Block(width, heads, causal=False, norm_place=norm_place, scale=scale)
                for _ in range(depth)
            )
        )
        self.norm = nn.LayerNorm(width) if norm_place == "before" else nn.Identity()
        self.head = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (inputs, classes) of images (inputs, 3, side, side)."""
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


def draw_as_gpt(model: nn.Module, *, end_of_branch: float) -> None:
    """Draw all matrices from N(0, 0.02²), and those at the end of a branch smaller.

    Args:
        model: changed in place; biases become 0.
        end_of_branch: what the last matrix of each branch is multiplied by, 1/√(2L) in GPT-2.
    """
    for name, parameter in model.named_parameters():
        if parameter.dim() < 2:
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            continue
        is_end = name.endswith(("attention.proj.weight", "mlp.2.weight"))
        nn.init.normal_(parameter, std=_STD * (end_of_branch if is_end else 1.0))
