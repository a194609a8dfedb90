"""The app, as Streamlit runs it, on a host that begins every answer late: after ``LATE`` seconds.

Until then a page is idle and as it was, which is what a test must not take for the answer. To look
for such tests: ``SERVED_BY=tests.late python -m pytest tests/browser``.
"""

import os
import time

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web import cli

_LATE = float(os.environ.get("LATE", "0.4"))
_run = ScriptRunner._run_script


def _late(self, rerun_data):
    time.sleep(_LATE)
    return _run(self, rerun_data)


ScriptRunner._run_script = _late

if __name__ == "__main__":
    cli.main()
