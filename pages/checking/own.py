"""A report of the viewer's own model: the command that writes it, and the file that it wrote."""

from __future__ import annotations

import streamlit as st

from core.probe.file import MOST_BYTES
from core.probe.report import Report
from pages.words import page

_COMMAND = """pip install .    # in a copy of Good Init's repository
python -m good_init.probe my_module:build --input 8x3x224x224 --json report.json"""
_IN_PYTHON = """from good_init import check

report = check(model, batch, target=labels)
print(report.verdict)
report.save("report.json")"""
_WHY = (
    "Your model stays with you. A host that ran the code of its visitors would be theirs, so this "
    "page reads numbers alone: the command below runs your model on your machine, there and back "
    "once, and writes what it measured. A model that you build with <code>my_module.build()</code> "
    "is drawn anew for every seed."
)
_MIB = 2**20


def report_from_file() -> Report | None:
    """Draw the way to a file, and the place to drop it; returns the report, if there is one."""
    st.html(f'<p class="gi-words">{_WHY}</p>')
    with st.container(horizontal=True):
        st.code(_COMMAND, language="shell", wrap_lines=True)
        st.code(_IN_PYTHON, language="python", wrap_lines=True)
    return dropped("Drop report.json here", "own_report")


def dropped(label: str, key: str) -> Report | None:
    """Draw a place for a file; returns its report, or says why it is none."""
    file = st.file_uploader(label, type="json", key=key, max_upload_size=MOST_BYTES // _MIB)
    if file is None:
        return None
    try:
        return Report.read(file.getvalue())
    except ValueError as error:
        page.warn([f"{file.name} is no report: {error}"])
        return None
