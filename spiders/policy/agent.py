"""How we present ourselves: by our own name, with somebody to write to."""

from __future__ import annotations

from catalog.errors import UsageError

ROBOT_NAME = "GleaneryBot"
"""The name that robots.txt and X-Robots-Tag may address."""


def user_agent(contact: str, is_loopback: bool) -> str:
    """Give the User-Agent header.

    Args:
        contact: e-mail or web address from the settings.
        is_loopback: nothing beyond this machine is contacted.

    Raises:
        UsageError: no contact, but other people's machines would be contacted.
    """
    contact = " ".join(contact.split())
    if not contact and not is_loopback:
        raise UsageError(
            "crawling beyond this machine needs a contact: set `contact` in gleanery.toml or GLEANERY_CONTACT "
            "to an e-mail or web address where a site's owner can reach you"
        )
    if not contact.isascii() or any(char in contact for char in "()"):
        raise UsageError(f"contact: expected plain ASCII without brackets, found {contact!r}")
    return f"{ROBOT_NAME}/0.1 (+{contact or 'trial on loopback'})"
