"""What a waiting page asks of a room, and the cookie that a browser gets with a page."""

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request

from core import Experiment
from pages.poll import news, rooms
from pages.poll.attempts import Attempts
from pages.work import viewer
from tests.load.loop import run_apart
from tests.serving import serve

TEACHER = "teacher-0123456789-0123456789"


def get(url, **headers):
    """Status, headers and body, whatever the status."""
    asked = urllib.request.Request(
        url, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


@pytest.fixture
def room(served_rooms, monkeypatch):
    monkeypatch.setenv("GOOD_INIT_ROOMS", served_rooms)
    return rooms.open(Experiment(width=64), TEACHER).code


def test_news_of_a_room_is_small_and_never_kept_by_the_browser(address, room):
    status, headers, body = get(f"{address}/rooms/{room.lower()}.json")
    assert status == 200 and headers["cache-control"] == "no-store" and len(body) < 100
    first = json.loads(body)
    shows = {"guesses": 0, "revealed": False, "stage": "open"}
    assert first == {"version": first["version"]} | shows
    assert "set-cookie" not in headers
    rooms.guess(room, "student", 31)
    time.sleep(1.1)
    second = json.loads(get(f"{address}/rooms/{room}.json")[2])
    assert second["guesses"] == 1 and second["version"] != first["version"]
    rooms.reveal(room, TEACHER)
    time.sleep(1.1)
    third = json.loads(get(f"{address}/rooms/{room}.json")[2])
    assert third["revealed"] and third["version"] != second["version"]


def test_a_class_that_asks_at_once_shares_one_answer(address, room):
    with ThreadPoolExecutor(20) as class_room:
        answers = list(class_room.map(lambda _: get(f"{address}/rooms/{room}.json")[2], range(100)))
    assert set(answers) == {answers[0]}


def test_a_room_is_looked_up_once_for_all_who_ask_within_a_second(room, monkeypatch):
    looked, status = [], rooms.status
    monkeypatch.setattr(rooms, "status", lambda code: looked.append(code) or status(code))
    monkeypatch.setattr(news, "FRESH", 60.0)  # a second that is long enough for any machine

    async def asked():
        class_room = await asyncio.gather(*(news.answer(room) for _ in range(100)))
        rooms.guess(room, "student", 31)
        within = await news.answer(room)
        monkeypatch.setattr(news, "FRESH", 0.0)
        return class_room, within, await news.answer(room)

    class_room, within, later = run_apart(asked())
    assert all(answer == within for answer in class_room)  # still that of the last second
    assert within["guesses"] == 0 and later["guesses"] == 1 and looked == [room] * 2


@pytest.mark.parametrize("code", ["ACDEFG", "nothing", "%00", "..%2f..%2fetc", "a'b"])
def test_where_there_is_no_room_there_is_no_news(address, code):
    status, _, body = get(f"{address}/rooms/{code}.json")
    assert status in (400, 404)  # 400 where no route of ours is asked
    assert b"Traceback" not in body and b"version" not in body


def test_who_tries_codes_is_made_to_wait(address, room):
    cookie = f"{viewer.COOKIE}=somebody-who-tries-codes-012345"
    ends = [get(f"{address}/rooms/AAAAA{last}.json", cookie=cookie)[0] for last in "ACDEFGHJKM" * 3]
    assert ends == [404] * 20 + [429] * 10
    assert get(f"{address}/rooms/{room}.json")[0] == 200


def test_an_address_in_a_header_counts_only_from_a_proxy_that_is_trusted(address, room):
    def refused(server):
        paths = [f"{server}/rooms/ACDEF{last}.json" for last in "ACDEFGHJKM" * 3]
        asked = [get(path, x_forwarded_for=f"192.0.2.{k}")[0] for k, path in enumerate(paths)]
        return asked.count(429)

    assert refused(address) == 0  # a proxy on the same machine, as deploy/nginx.conf is
    with serve(FORWARDED_ALLOW_IPS="198.51.100.1") as elsewhere:
        assert refused(elsewhere) == 10


def test_codes_of_one_address_are_counted_whatever_the_cookie(room, monkeypatch):
    monkeypatch.setattr(rooms, "failed_from_address", Attempts(most=3, seconds=300))

    def status(code, cookie, host):
        sent = [(b"cookie", f"{viewer.COOKIE}={cookie:022}".encode())]
        asked = {"type": "http", "headers": sent, "path_params": {"code": code}}
        request = Request(asked | {"client": (host, 50_000)})
        return run_apart(news.answer_to(request)).status_code

    tried = [status(f"ACDEF{last}", k, "192.0.2.7") for k, last in enumerate("ACDEFG")]
    assert tried == [404] * 3 + [429] * 3
    assert (status(room, 9, "192.0.2.7"), status(room, 9, "192.0.2.8")) == (429, 200)


def test_a_store_that_is_away_is_said_so(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with serve(GOOD_INIT_ROOMS=f"sqlite:///{tmp_path / 'file' / 'rooms.sqlite'}") as address:
        status, _, body = get(f"{address}/rooms/ACDEFG.json")
    assert status == 503 and b"Traceback" not in body


def given(headers):
    """The viewer's cookie in an answer, if there is one."""
    cookies = SimpleCookie("\n".join(headers.get_all("set-cookie") or []))
    return cookies.get(viewer.COOKIE)


def test_a_browser_gets_a_random_word_with_a_page_that_no_script_can_read(address):
    found = [given(get(f"{address}{path}")[1]) for path in ("/", "/guess", "/lesson?step=redraw")]
    assert len({cookie.value for cookie in found}) == 3
    for cookie in found:
        assert re.fullmatch(r"[\w-]{22}", cookie.value, re.ASCII)
        assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
        assert not cookie["max-age"] and not cookie["expires"] and not cookie["secure"]


def test_the_word_stays_where_there_is_one_and_replaces_what_is_none(address):
    own = f"{viewer.COOKIE}={'a' * 22}"
    assert given(get(f"{address}/guess", cookie=own)[1]) is None
    for bad in ("", "short", "a" * 200, "<script>alert(1)</script>aaaa"):
        assert given(get(f"{address}/guess", cookie=f"{viewer.COOKIE}={bad}")[1])


def test_behind_https_the_word_is_sent_over_https_only(address):
    assert given(get(f"{address}/guess", x_forwarded_proto="https")[1])["secure"]


def test_what_is_no_page_comes_without_a_word(address):
    for path in ("/health", "/export.csv?width=4&depth=2", "/_stcore/health"):
        assert given(get(address + path)[1]) is None


def test_a_page_that_the_browser_has_kept_still_brings_a_word(address):
    _, headers, _ = get(f"{address}/")
    known = {"if_none_match": headers["etag"]} if headers["etag"] else {}
    known |= {"if_modified_since": headers["last-modified"]} if headers["last-modified"] else {}
    status, again, _ = get(f"{address}/", accept="text/html,*/*", **known)
    assert status in (200, 304) and given(again)
