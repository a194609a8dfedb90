"""Report: what became of a check, in a word, in sentences, as a table, as files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from ..text import listed, of_octaves, significant
from .evidence import Evidence, gradient_size, known_gradients
from .fitting import Factor
from .rules import RULES, Rule, Way

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

HEALTHY = "healthy"
_STREAM = 3  # additions that make a stream


@dataclass(frozen=True)
class Finding:
    """What a rule found at one place.

    Attributes:
        rule: its name.
        module: the row's name, or a parameter's path; "" for the whole model.
        number: what was measured, in words.
        threshold: what is allowed, in words.
        why: why it matters.
        todo: what to do about it.
        word: of the verdict, such as "explodes".
        way: the direction in which it is seen.
    """

    rule: str
    module: str
    number: str
    threshold: str
    why: str
    todo: str
    word: str
    way: Way

    @property
    def predicate(self) -> str:
        """The word as the predicate of a sentence: "explodes", "is symmetric"."""
        return self.word if self.word.endswith("s") else f"is {self.word}"


@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    Attributes:
        evidence: what was measured.
        findings: what the rules found, the worst rule first.
        factors: what each matrix is to be multiplied by; empty for a healthy model.
        after: of the model with these factors; None where there are none.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    factors: tuple[Factor, ...] = ()
    after: Report | None = None

    @classmethod
    def of(
        cls,
        evidence: Evidence,
        rules: Mapping[str, Rule] = RULES,
        *,
        factors: tuple[Factor, ...] = (),
        after: Report | None = None,
    ) -> Report:
        """The report of evidence under some rules."""
        found = [
            Finding(
                rule=rule.name,
                module=each.module,
                number=each.number,
                threshold=each.threshold,
                why=rule.why,
                todo=each.todo or rule.todo,
                word=rule.word,
                way=rule.way,
            )
            for rule in rules.values()
            for each in rule.look(evidence)
        ]
        return cls(evidence, tuple(found), factors, after)

    @property
    def word(self) -> str:
        """The verdict in a word: that of the worst rule, or "healthy"."""
        return self.findings[0].word if self.findings else HEALTHY

    @property
    def is_healthy(self) -> bool:
        """Whether no rule found anything."""
        return not self.findings

    @property
    def verdict(self) -> str:
        """A word, and one sentence for each direction."""
        return f"{self.word.capitalize()}. {self.forward} {self.backward}"

    @property
    def forward(self) -> str:
        """What happens to the signal, in a sentence."""
        rows = self.evidence.matrices or self.evidence.rows
        if not rows:
            return "No module was called."
        added = self.evidence.additions
        if len(added) >= _STREAM:
            sizes = of_octaves(added[0].log2_stream), of_octaves(added[-1].log2_sum)
            told = f"the stream's rms goes from {sizes[0]} to {sizes[1]} over {len(added)} branches"
            return f"Forward, {told}{self._of('forward')}."
        first, last = rows[0], rows[-1]
        ends = [of_octaves(row.output.log2_rms) for row in (first, last)]
        told = f"the rms goes from {ends[0]} at {first.title} to {ends[1]} at {last.title}"
        return f"Forward, {told}{self._of('forward')}."

    @property
    def backward(self) -> str:
        """What happens to the gradient, in a sentence."""
        rows = known_gradients(self.evidence.matrices or self.evidence.rows)
        if not rows:
            return "No gradient was seen."
        (last, at_last), (first, at_first) = rows[-1], rows[0]
        told = f"the gradient's norm goes from {of_octaves(at_last)} at {last.title}"
        return f"Backward, {told} to {of_octaves(at_first)} at {first.title}{self._of('backward')}."

    def _of(self, way: Way) -> str:
        """What the rules of this direction found, each at its first place."""
        first = {each.rule: each for each in reversed(self.findings) if each.way == way}
        titles = {row.name: row.title for row in self.evidence.rows}
        told = [
            each.predicate + f" at {titles.get(each.module, each.module)}" * bool(each.module)
            for each in reversed(first.values())
        ]
        return f"; it {listed(told)}" if told else ""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each call of a module, in the order of execution."""
        import pandas as pd

        return pd.DataFrame([_cells(self.evidence, k) for k in range(len(self.evidence.rows))])

    def fix(self, model: nn.Module) -> nn.Module:
        """Multiply the weights of a model by the factors of this report; returns the model.

        Args:
            model: that was checked, or one with parameters of the same names.

        Raises:
            ValueError: it lacks a parameter.
        """
        import torch

        parameters = dict(model.named_parameters(remove_duplicate=False))
        for each in self.factors:
            if each.parameter not in parameters:
                raise ValueError(f"model must have the parameter {each.parameter!r} of the report")
        with torch.no_grad():
            for each in self.factors:
                parameters[each.parameter].mul_(each.factor)
        return model

    @property
    def lines(self) -> str:
        """The same as `fix`, as lines of PyTorch to paste."""
        changed = [each for each in self.factors if each.factor != 1]
        steps = [
            f"    model.get_parameter({_quoted(each.parameter)})"
            f".mul_({significant(each.factor, 6)})"
            for each in changed
        ]
        return "\n".join(["with torch.no_grad():", *steps]) if steps else ""

    @property
    def figures(self) -> dict[str, Evidence]:
        """Label -> what is drawn: the model, or the model before and after the factors."""
        if self.after is None:
            return {self.evidence.model: self.evidence}
        return {"before": self.evidence, "after": self.after.evidence}

    def figure(self) -> go.Figure:
        """The sizes of outputs and gradients as a Plotly figure, before and after the factors."""
        import plotly.graph_objects as go

        from .figure import sizes

        return go.Figure(sizes(self.figures))

    def to_text(self) -> str:
        """The report as JSON: what was measured, and nothing that runs."""
        from .file import to_json

        after = None if self.after is None else self.after.evidence
        return to_json(evidence=self.evidence, factors=self.factors, after=after)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a file, as JSON."""
        Path(path).write_text(self.to_text(), encoding="utf-8")

    @classmethod
    def read(cls, text: str | bytes, rules: Mapping[str, Rule] = RULES) -> Report:
        """The report in a text that `save` or `to_text` wrote, judged by these rules.

        Raises:
            ReportFileError: the text is no report; a ValueError that names the field.
        """
        from .file import from_json

        parts = from_json(text)
        after = None if parts["after"] is None else cls.of(parts["after"], rules)
        return cls.of(parts["evidence"], rules, factors=parts["factors"], after=after)

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as a page of its own, which needs no network and runs no script."""
        from .document import whole

        Path(path).write_text(whole(self), encoding="utf-8")

    def _repr_html_(self) -> str:
        from .document import inside, style

        return f"<style>{style()}</style>{inside(self)}"


def _quoted(name: str) -> str:
    """A name as a text of Python, whatever is in it."""
    return json.dumps(name, ensure_ascii=False)


def _cells(evidence: Evidence, k: int) -> dict[str, object]:
    row = evidence.rows[k]
    weight = row.weights[0] if row.weights else None
    back = None if weight is None else weight.gradient
    gradient = None if back is None else back.log2_rms
    return {
        "module": row.name,
        "kind": row.kind,
        "role": row.role,
        "shape": row.shape,
        "mean": row.output.mean,
        "log2_rms": row.output.log2_rms,
        "log2_std": row.output.log2_std,
        "log2_max_abs": row.output.log2_max_abs,
        "zero": row.output.zero,
        "nonfinite": row.output.nonfinite,
        "log2_gradient_rms": gradient_size(row),
        "dead": row.dead,
        "flat": row.flat,
        "log2_weight_rms": None if weight is None else weight.log2_rms,
        "log2_weight_gradient_rms": gradient,
        "log2_gradient_to_weight": None
        if weight is None or gradient is None
        else gradient - weight.log2_rms,
    }
