"""``python -m tests.why_sqrt_5`` computes and writes the tables of docs/why_sqrt_5.md."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl

from core import Experiment, backpropagate, mean_field, predict, propagate
from core.text import significant, with_minus
from core.theory.profile import moments_of_layers

PAGE = Path(__file__).parent.parent / "docs" / "why_sqrt_5.md"
LINK = re.compile(r"\]\(\?((?:[^()]|\([^()]*\))*)\)")

_DEFAULT = "init=torch_linear&weights=fresh&depth=50"
_BIAS = "&bias_std=1/√(3n)"
_NAMES = {"linear": "none", "relu": "ReLU", "tanh": "tanh", "gelu": "GELU"}
_SHARES = (1, 2, 4, 6, 8, 10, 14, 20)


def experiment(query: str) -> Experiment:
    """The Experiment that a link opens.

    Raises:
        ValueError: something in the link is not accepted.
    """
    found, problems = Experiment.from_query(dict(parse_qsl(query, strict_parsing=True)))
    if problems:
        raise ValueError("; ".join(problems))
    return found


def table(*rows: list[str]) -> str:
    """Rows as a table of Markdown; the first is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _row(label: str, query: str) -> list[str]:
    """A case: x at the last layer and the gradient at the first, measured beside predicted."""
    e = experiment(query)
    back, law = backpropagate(e), predict(e)
    x = back.run.stats.rms[-1], 2 ** law.log2_rms_quantiles[0.5][-1]
    gradient = back.stats.rms[0], 2 ** law.log2_gradient_rms_quantiles[0.5][0]
    return [f"[{label}](?{query})", *(" / ".join(map(_text, pair)) for pair in (x, gradient))]


def _text(number: float) -> str:
    return with_minus(significant(float(number)))


_HEAD = ["rms of x at layer 50", "rms of the gradient at layer 0"]


def depth() -> str:
    """PyTorch's default at depth, without and with its bias."""
    rows = []
    for phi, name in _NAMES.items():
        query = _DEFAULT + (f"&activation={phi}" if phi != "linear" else "")
        rows += [_row(name, query), _row(f"{name}, with bias", query + _BIAS)]
    return table(["φ", *_HEAD], *rows)


def floor() -> str:
    """The fixed point of the second moment with the biases of nn.Linear."""
    e = experiment(_DEFAULT + _BIAS)
    rows = []
    for phi, name in _NAMES.items():
        q = mean_field.fixed_point(phi, e.sigma_w, e.bias_std)
        rms = float(mean_field.second_moment(phi, q)) ** 0.5
        back = float(mean_field.chi_1(phi, e.sigma_w, e.bias_std)) ** 0.5
        rows.append([name, *map(_text, (q, rms, back))])
    return table(["φ", "q*", "rms of x", "factor on the gradient"], *rows)


def share() -> str:
    """The input's share of the mean square, layer by layer."""
    e = experiment(_DEFAULT + _BIAS + "&batch_size=2").replace(depth=20)
    known = 1 - moments_of_layers(e, couples=True).shared
    measured = 1 - propagate(e).stats.values["cosine_of_inputs"]
    return table(
        ["layer k", "measured", "theory"],
        *([str(k), _text(measured[k]), _text(known[k])] for k in _SHARES),
    )


def instead() -> str:
    """Rules that hold the signal."""
    rest = "&weights=fresh&depth=50&activation="
    return table(
        ["weights and φ", *_HEAD],
        _row("`kaiming_normal`, ReLU", f"init=kaiming_normal{rest}relu"),
        _row("`orthogonal`, none", "init=orthogonal&weights=fresh&depth=50"),
        _row("`critical`, tanh", f"init=critical{rest}tanh"),
    )


TABLES = {each.__name__: each for each in (depth, floor, share, instead)}


def written(text: str) -> str:
    """The page with every table computed anew, each below the comment that names it."""
    for name, made in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n)(\n?\|.*\n(?:\|.*\n)+)?")
        found = pattern.search(text)
        if found is None:
            raise ValueError(f"the page must have the comment <!-- {name} -->")
        text = text[: found.start()] + f"{found[1]}\n{made()}\n" + text[found.end() :]
    return text


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
