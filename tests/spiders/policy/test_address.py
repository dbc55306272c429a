from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import PolicyRefused
from spiders.policy.address import check_url, is_loopback_host, may_connect

PRIVATE = [
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "fe80::1", "fe80::1%eth0", "fc00::1", "::", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    "2002:a00:1::",
]  # fmt: skip
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_for_nobody(address):
    assert not may_connect(address, allow_loopback=False)
    assert not may_connect(address, allow_loopback=True)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_for_those_who_say_so(address):
    assert may_connect(address, allow_loopback=True)
    assert not may_connect(address, allow_loopback=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_for_loopback_sources(address):
    assert may_connect(address, allow_loopback=False)
    assert not may_connect(address, allow_loopback=True)


@given(st.text())
def test_whatever_is_no_address_is_refused(text):
    if not any(char.isdigit() or char == ":" for char in text):
        assert not may_connect(text, allow_loopback=True)


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "file:///etc/passwd", "javascript:1", "http://", "http://[::1", "http://a:99999999/", ""],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(PolicyRefused) as caught:
        check_url(url, allow_loopback=False)
    assert caught.value.reason == "policy_address"


def test_names_pass_until_they_are_resolved():
    check_url("https://uni.example/staff", allow_loopback=False)
    check_url("http://localhost/", allow_loopback=False)
    assert is_loopback_host("LOCALHOST")
    assert is_loopback_host("127.0.0.7")
    assert not is_loopback_host("uni.example")
    assert not is_loopback_host(None)
