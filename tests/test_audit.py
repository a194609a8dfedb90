"""What the audit of dependencies makes of an answer, and of none."""

from tests import audit

SOUND = {"name": "good", "version": "1.0", "vulns": []}
UNSOUND = {
    "name": "bad",
    "version": "0.9",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.0"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
UNKNOWN = {"name": "own", "version": "1", "skip_reason": "not found"}


def test_a_known_vulnerability_fails_by_name(monkeypatch, capsys):
    monkeypatch.setattr(audit, "_asked", lambda: [SOUND, UNSOUND, UNKNOWN])
    assert audit.main() == 1
    said = capsys.readouterr().out
    assert "Audited 2 of 3 packages: 2 vulnerabilities." in said
    assert "bad 0.9: PYSEC-1, mended in 1.0" in said and "PYSEC-2, mended in no version yet" in said


def test_nothing_known_passes(monkeypatch, capsys):
    monkeypatch.setattr(audit, "_asked", lambda: [SOUND])
    assert audit.main() == 0
    assert "0 vulnerabilities" in capsys.readouterr().out


def test_where_nothing_can_be_known_it_says_so(monkeypatch, capsys):
    for answer in (None, [UNKNOWN]):
        monkeypatch.setattr(audit, "_asked", lambda answer=answer: answer)
        assert audit.main() == 0
        assert "not audited" in capsys.readouterr().out


def test_it_asks_about_what_is_installed():
    named = {line.split("==")[0].lower() for line in audit._installed().splitlines()}
    assert {"streamlit", "torch", "sqlalchemy"} <= named and "pip" not in named
