"""What a viewer should see, found out without the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.question.experiment import PARAMETERS, Experiment
from core.reading.verdict import judge
from core.simulation.propagate import propagate


def wrong(screens: Iterable[tuple[Mapping[str, str], str]]) -> list[str]:
    """The screens, as (link, verdict shown), that do not say what the link's run gives."""
    found = []
    for query, shown in screens:
        asked = {name: text for name, text in query.items() if name in PARAMETERS}
        experiment, problems = Experiment.from_query(asked)
        told = judge(propagate(experiment))
        texts = (told.kind, told.sentence, told.iteration, told.iteration_detail)
        if problems or not all(text in shown for text in texts):
            found.append(f"{dict(query)}: {shown or 'nothing'!r}, not {told.sentence!r}")
    return found
