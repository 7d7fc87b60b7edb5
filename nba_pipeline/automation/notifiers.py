"""Channels for alerts: the log, a chat webhook, e-mail. Addresses and passwords never appear in logs or errors."""

import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

from nba_pipeline.common.errors import AlertError, ConfigurationError

TIMEOUT_SECONDS = 10.0
WEBHOOK = "NBA_PIPELINE_ALERT_WEBHOOK"
EMAIL = "NBA_PIPELINE_ALERT_EMAIL_"
SECURITY = ("starttls", "tls", "none")
log = logging.getLogger("nba_pipeline.alerts")


class Notifier(Protocol):
    """A channel that delivers messages to people."""

    @property
    def name(self) -> str:
        """The kind of the channel, without its address."""
        ...

    def send(self, subject: str, lines: list[str]) -> None:
        """Deliver one message.

        Args:
            subject: One line.
            lines: The lines of the message.

        Raises:
            AlertError: The channel did not accept the message.
        """
        ...


@dataclass(frozen=True)
class LogNotifier:
    """The default channel: the log of the daemon."""

    name: str = "log"

    def send(self, subject: str, lines: list[str]) -> None:
        log.warning("%s\n%s", subject, "\n".join(lines))


@dataclass(frozen=True)
class WebhookNotifier:
    """A Slack-compatible webhook: a POST of {"text": ...}."""

    url: str = field(repr=False)
    name: str = "webhook"

    def send(self, subject: str, lines: list[str]) -> None:
        body = json.dumps({"text": "\n".join([f"*{subject}*", *lines])}).encode()
        request = urllib.request.Request(self.url, data=body, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):
                return
        except urllib.error.HTTPError as e:
            raise AlertError(
                f"the webhook returned status {e.code}", f"create a new webhook and set {WEBHOOK} to it"
            ) from None
        except (OSError, ValueError) as e:
            why = type(getattr(e, "reason", e)).__name__
            raise AlertError(
                f"the webhook cannot be reached ({why})", f"check {WEBHOOK} and the network to its host"
            ) from None


@dataclass(frozen=True)
class EmailNotifier:
    """E-mail over SMTP; with a user, it logs in."""

    host: str
    port: int
    sender: str
    receiver: str
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    name: str = "e-mail"

    def send(self, subject: str, lines: list[str]) -> None:
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, self.sender, self.receiver
        message.set_content("\n".join(lines))
        try:
            with self._connect() as server:
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (smtplib.SMTPException, OSError) as e:
            code = f" {e.smtp_code}" if isinstance(e, smtplib.SMTPResponseException) else ""
            raise AlertError(
                f"the mail server rejected the message ({type(e).__name__}{code})",
                f"check the variables {EMAIL}HOST, PORT, SECURITY, USER, PASSWORD, FROM and TO",
            ) from None

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)


def notifiers(environment: Mapping[str, str]) -> list[Notifier]:
    """Return the configured channels, or the log where none is configured.

    Raises:
        ConfigurationError: A channel is configured incompletely.
    """
    channels: list[Notifier] = []
    if url := environment.get(WEBHOOK):
        if not url.startswith(("https://", "http://")):
            raise ConfigurationError(f"{WEBHOOK} is not a URL", "set it to the https URL of the webhook")
        channels.append(WebhookNotifier(url))
    mail = {k.removeprefix(EMAIL).lower(): v for k, v in environment.items() if k.startswith(EMAIL) and v}
    if mail:
        channels.append(_email(mail))
    return channels or [LogNotifier()]


def _email(values: Mapping[str, str]) -> EmailNotifier:
    missing = [f"{EMAIL}{n.upper()}" for n in ("host", "port", "from", "to", "security") if n not in values]
    if missing:
        raise ConfigurationError(
            f"e-mail alerts lack {', '.join(missing)}", f"set these variables, or unset all {EMAIL}*"
        )
    if values["security"] not in SECURITY:
        raise ConfigurationError(
            f"{EMAIL}SECURITY is {values['security']!r}", f"set it to one of: {', '.join(SECURITY)}"
        )
    if not values["port"].isdecimal():
        raise ConfigurationError(f"{EMAIL}PORT is {values['port']!r}", "set it to a number, such as 587")
    return EmailNotifier(
        host=values["host"],
        port=int(values["port"]),
        sender=values["from"],
        receiver=values["to"],
        security=values["security"],
        user=values.get("user", ""),
        password=values.get("password", ""),
    )
