"""Deployment files agree with the repository, as far as it can be told without a daemon."""

import re
import shlex
import shutil
import subprocess
import tomllib

import pytest

from core.host import settings
from tests.serving import ROOT

DEPLOY = ROOT / "deploy"
DOCS = (ROOT / "docs" / "hosting.md").read_text()


def dockerfile():
    """The stages of the Dockerfile, each a list of (instruction, rest)."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and line[0] != "#"]
    starts = [place for place, (name, _) in enumerate(lines) if name == "FROM"]
    return [lines[a:b] for a, b in zip(starts, [*starts[1:], len(lines)], strict=True)]


def values(stage, name):
    return [rest for instruction, rest in stage if instruction == name]


def test_what_the_image_copies_is_there_and_let_through():
    through = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line[0] == "!"}
    own = [rest.split()[0] for stage in dockerfile() for rest in values(stage, "COPY")]
    own = [name for name in own if not name.startswith("--from")]
    assert set(own) == through
    assert all((ROOT / name).exists() for name in own)
    imported = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert imported - {"tests"} <= set(own)


def test_the_image_runs_as_nobody_in_particular_on_the_port_that_it_exposes():
    *_, stage = dockerfile()
    [user], [port] = values(stage, "USER"), values(stage, "EXPOSE")
    assert user == "10001" and any("--uid 10001" in run for run in values(stage, "RUN"))
    [command], [health] = values(stage, "CMD"), values(stage, "HEALTHCHECK")
    assert f'"--server.port", "{port}"' in command
    assert f":{port}/_stcore/health" in health
    assert "pip" not in " ".join(values(stage, "RUN"))


def test_the_docker_space_names_the_image_s_port():
    [header] = re.findall(r"```yaml\n---\n(.*?)---\n```", DOCS, re.DOTALL)
    fields = dict(line.split(": ") for line in header.strip().splitlines())
    *_, stage = dockerfile()
    assert fields["sdk"] == "docker" and values(stage, "EXPOSE") == [fields["app_port"]]


def unit():
    text = (DEPLOY / "good-init@.service").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")


def test_the_unit_starts_the_app_on_loopback_on_its_own_port():
    program, *arguments = shlex.split(unit()["ExecStart"])
    assert program.startswith(unit()["WorkingDirectory"])
    assert arguments[:2] == ["run", "app.py"] and (ROOT / "app.py").exists()
    options = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    assert options == {"--server.address": "127.0.0.1", "--server.port": "%i"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit_and_finds_it_locked_down(tmp_path):
    text = (DEPLOY / "good-init@.service").read_text()
    copy = tmp_path / "good-init@8501.service"
    copy.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", text))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert str(copy.name) not in done.stderr and done.returncode == 0, done.stderr
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=25", copy]
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_nginx_and_the_unit_agree_on_ports():
    ports = re.findall(r"server 127\.0\.0\.1:(\d+) ", (DEPLOY / "nginx.conf").read_text())
    assert ports and all(f"good-init@{port}" in DOCS for port in ports)


def test_every_setting_that_is_read_is_described_and_in_the_table():
    sources = [*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    read = {name for path in sources for name in re.findall(r"GOOD_INIT_[A-Z_]+", path.read_text())}
    assert read == set(settings.SETTINGS)
    assert settings.as_table() in DOCS


def test_streamlit_counts_nobody_and_waits_for_no_answer():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert config["server"]["headless"] and not config["browser"]["gatherUsageStats"]
