"""Callers of shared work, each in a thread of its own."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pages.work.test_queue import Gate


@pytest.fixture
def asking():
    with ThreadPoolExecutor(64) as threads:
        yield threads.submit
        while Gate.made:
            Gate.made.pop().go.set()
