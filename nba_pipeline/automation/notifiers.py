"""Channels for alerts: the log, a webhook, services of apprise, e-mail. Addresses and passwords appear in no log and no error."""

import json
import logging
import smtplib
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

from nba_pipeline.automation.delivery import TIMEOUT_SECONDS, deliver
from nba_pipeline.common.errors import AlertError, ConfigurationError
from nba_pipeline.common.extras import required_extra
from nba_pipeline.config.settings import AlertSettings

WEBHOOK = "NBA_PIPELINE_ALERT_WEBHOOK"
APPRISE = "NBA_PIPELINE_ALERT_APPRISE"
# They write addresses to the log: apprise those that it cannot read, urllib3 those that it asks.
OUTSPOKEN = ("apprise", "urllib3.connectionpool", "urllib3.util.retry")
SENDING = ContextVar("SENDING", default=False)
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
class AppriseNotifier:
    """A service of apprise, such as Teams, Telegram, Discord or PagerDuty; a message that is too long for it is split."""

    url: str = field(repr=False)
    name: str

    def send(self, subject: str, lines: list[str]) -> None:
        with _nothing_logged():
            try:
                with required_extra("alerts", f"the channel {self.name}"):
                    import apprise
            except ConfigurationError as e:  # the channels after this one get their messages
                raise AlertError(e.what, e.remedy) from None
            asset = apprise.AppriseAsset(app_id="nba_pipeline", async_mode=False)
            service = apprise.Apprise.instantiate(self.url, asset=asset)
            if service is None:
                raise AlertError(
                    f"apprise cannot read the address of the channel {self.name}",
                    f"write it in {APPRISE} as apprise documents the service, and install the library that the service needs",
                )
            service.overflow_mode = apprise.OverflowMode.SPLIT
            sender = apprise.Apprise(service, asset=asset)
            accepted = sender.notify(
                "\n".join(lines),
                title=subject,
                notify_type=apprise.NotifyType.WARNING,
                body_format=apprise.NotifyFormat.TEXT,
            )
        if not accepted:
            raise AlertError(
                f"the service of the channel {self.name} did not accept the message",
                f"check its address in {APPRISE} and the network to its host",
            )


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Keep what the libraries log of one message, also in the threads that they start for it, out of all logs."""
    for name in OUTSPOKEN:
        logging.getLogger(name).addFilter(_is_not_of_a_message)
    token = SENDING.set(True)
    try:
        yield
    finally:
        SENDING.reset(token)


def _is_not_of_a_message(_: logging.LogRecord) -> bool:
    return not SENDING.get()


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
    channels += _services(settings.apprise, [c.name for c in channels])
    return channels or [LogNotifier()]


def _services(urls: Sequence[str], taken: Sequence[str]) -> list[AppriseNotifier]:
    """Return a channel for each address, named by its scheme; further ones of a scheme have a number, in the given order.

    Args:
        urls: The addresses.
        taken: Names of the other channels.
    """
    count = Counter(taken)
    channels = []
    for url in urls:
        scheme = url.partition("://")[0].lower()
        count[scheme] += 1
        channels.append(AppriseNotifier(url, scheme if count[scheme] == 1 else f"{scheme} {count[scheme]}"))
    return channels


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
