"""Sends one mail through the server that the settings name."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from catalog.config import Config
from catalog.errors import UsageError

_PATIENCE_S = 30.0


def send_mail(config: Config, subject: str, text: str) -> None:
    """Mail a text to `alert_email`; STARTTLS is used wherever the server offers it.

    Raises:
        UsageError: the settings name no address or no server.
        OSError: the server cannot be reached, or refuses.
    """
    server = urlsplit(config.smtp_url)
    if not config.alert_email or server.scheme not in ("smtp", "smtps") or not server.hostname:
        raise UsageError("mail needs alert_email and smtp_url (smtp://user:password@host:587)")
    message = EmailMessage()
    message["Subject"], message["To"] = subject, config.alert_email
    message["From"] = unquote(server.username or "") or config.alert_email
    message.set_content(text)
    connect = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with connect(server.hostname, server.port or 0, timeout=_PATIENCE_S) as connection:
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls()
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)
