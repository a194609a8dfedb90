"""The address by which the server counts what one customer of a provider does."""

import pytest
import streamlit as st
from starlette.requests import HTTPConnection

from pages.work import viewer


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        (None, "this computer"),
        ("127.0.0.1", "this computer"),
        ("::1", "this computer"),
        ("::ffff:127.0.0.1", "this computer"),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_one_customer_is_one_address(monkeypatch, host, counted_as):
    monkeypatch.setattr(type(st.context), "ip_address", host)
    assert viewer.address() == counted_as
    client = host and (host, 50_000)
    assert viewer.address_of(HTTPConnection({"type": "http", "client": client})) == counted_as
