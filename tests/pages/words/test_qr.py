"""The QR code of a link, and the note beside one that no phone can open."""

import pytest

from pages.words.qr import is_local


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "good-init.localhost"]
)
def test_the_address_of_this_computer_is_no_address_for_a_phone(host):
    assert is_local(f"http://{host}:8501/guess?room=ACDEFG")


@pytest.mark.parametrize("host", ["192.168.0.12", "[2001:db8::1]", "localhost.example.org", ""])
def test_every_other_address_may_be_one(host):
    assert not is_local(f"http://{host}:8501/?width=64&x=localhost" if host else "/?width=64")
