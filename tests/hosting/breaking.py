"""The app, as Streamlit runs it, but a run of seed 13 fails half-way; its log goes to a file.

A run there and back fails likewise.
"""

import os
import sys
from pathlib import Path

from streamlit.web import cli

from pages.work import answers

sys.stderr = Path(os.environ["LOG_FILE"]).open("w", buffering=1)  # noqa: SIM115 - to the end


def _breaking(compute):
    def broken(experiment, device="cpu", *, on_progress=None):
        def told(fraction):
            on_progress(fraction)
            if experiment.seed == 13 and fraction >= 0.5:
                raise RuntimeError("what only the host should know")

        return compute(experiment, device, on_progress=told)

    return broken


answers.propagate = _breaking(answers.propagate)
answers.backpropagate = _breaking(answers.backpropagate)

if __name__ == "__main__":
    cli.main()
