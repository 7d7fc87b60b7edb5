"""Channels for alerts: the log, a chat webhook, e-mail. Addresses and passwords never appear in logs or errors."""

import json
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

from nba_pipeline.automation.delivery import TIMEOUT_SECONDS, deliver
from nba_pipeline.common.errors import AlertError, ConfigurationError
from nba_pipeline.config.settings import AlertSettings

WEBHOOK = "NBA_PIPELINE_ALERT_WEBHOOK"
EMAIL = "NBA_PIPELINE_ALERT_EMAIL_"
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
        body = json.dumps({"text": "\n".join([f"*{_escaped(subject)}*", *map(_escaped, lines)])}).encode()
        deliver(self.url, "webhook", WEBHOOK, f"create a new webhook and set {WEBHOOK} to it", body)


def _escaped(text: str) -> str:
    """Write the three characters that Slack reads as links and mentions as it asks for: a name is no `<!channel>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
        try:
            message["Subject"], message["From"], message["To"] = subject, self.sender, self.receiver
            message.set_content("\n".join(lines))
            with self._connect() as server:
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as e:
            code = f" {e.smtp_code}" if isinstance(e, smtplib.SMTPResponseException) else ""
            raise AlertError(
                f"the mail server rejected the message ({type(e).__name__}{code})",
                f"check the variables {EMAIL}HOST, PORT, SECURITY, USER, PASSWORD, FROM and TO",
            ) from None

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_SECONDS)


def notifiers(settings: AlertSettings) -> list[Notifier]:
    """Return the configured channels, or the log where none is configured.

    Raises:
        ConfigurationError: E-mail is configured incompletely.
    """
    channels: list[Notifier] = [WebhookNotifier(settings.webhook)] if settings.webhook else []
    if mail := _email(settings):
        channels.append(mail)
    return channels or [LogNotifier()]


def _email(settings: AlertSettings) -> EmailNotifier | None:
    """The channel by e-mail; None where no variable of it is set."""
    required = {
        "HOST": settings.host,
        "PORT": settings.port,
        "FROM": settings.sender,
        "TO": settings.receiver,
        "SECURITY": settings.security,
    }
    if not any((*required.values(), settings.user, settings.password)):
        return None
    if missing := [EMAIL + name for name, value in required.items() if value is None]:
        raise ConfigurationError(
            f"e-mail alerts lack {', '.join(missing)}", f"set these variables, or unset all {EMAIL}*"
        )
    return EmailNotifier(
        host=settings.host or "",
        port=settings.port or 0,
        sender=settings.sender or "",
        receiver=settings.receiver or "",
        security=settings.security or "",
        user=settings.user or "",
        password=settings.password or "",
    )
