import gzip
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from streamlit import file_util

from pages.serving.compressed import Compressed
from tests.load.loop import run_apart

SCRIPTS = Path(file_util.get_static_dir()) / "static" / "js"
LARGEST = max(SCRIPTS.glob("*.js"), key=lambda path: path.stat().st_size)


def asked(path, accepted, method="GET"):
    """The headers and the body of an answer."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    headers = [(b"accept-encoding", accepted.encode())] if accepted else []
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    run_apart(Compressed(PlainTextResponse("from Streamlit"))(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return found, b"".join(message.get("body", b"") for message in sent[1:])


def test_a_script_comes_gzipped_and_stays_in_the_browser():
    headers, body = asked(f"/static/js/{LARGEST.name}", "br, gzip")
    assert gzip.decompress(body) == LARGEST.read_bytes()
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(body) < LARGEST.stat().st_size / 2
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"] and headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("accepted", ["identity", "", "br", "gzip;q=0, br"])
def test_a_browser_that_takes_no_gzip_gets_what_streamlit_sends(accepted):
    assert asked(f"/static/js/{LARGEST.name}", accepted)[1] == b"from Streamlit"


@pytest.mark.parametrize(
    "path", ["/", "/static/js/none.js", "/static/../index.html", "/static/js/../../index.html"]
)
def test_nothing_else_is_answered_here(path):
    assert asked(path, "gzip")[1] == b"from Streamlit"
    assert asked(f"/static/js/{LARGEST.name}", "gzip", "POST")[1] == b"from Streamlit"
