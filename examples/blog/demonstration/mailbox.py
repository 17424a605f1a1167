"""A real SMTP server on this machine that hands over each mail it gets."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demonstration.ports import port_error

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived: the addresses of the envelope, the subject and the text."""

    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str


class Mailbox:
    """An SMTP server that calls `on_mail` with each mail, from a thread of its own, while entered.

    Its port is its own from the start. Until it is entered, connections are refused.
    """

    def __init__(self, port: int, *, on_mail: Callable[[Mail], object]) -> None:
        self._on_mail = on_mail
        self._listener = _bind(port)
        self.port: int = self._listener.getsockname()[1]
        self._controller = _Controller(self, self._listener)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._controller.stop()

    def close(self) -> None:
        """Give back the port of a server that was never entered."""
        self._listener.close()
        self._controller.loop.close()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Hand the mail over, then accept it: the sender hears "OK" only for a mail that is here."""
        self._on_mail(_read(envelope))
        return "250 OK"


class _Controller(Controller):
    """aiosmtpd's server on a socket that listens already: a taken port is known at once."""

    def __init__(self, mailbox: Mailbox, listener: socket.socket) -> None:
        host, port = listener.getsockname()
        # With a name given, nothing asks the network for the name of this machine.
        super().__init__(mailbox, hostname=host, port=port, server_hostname="localhost")
        self._listener = listener

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listener)


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As asyncio does: connections that have just been closed don't keep the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, os.name == "posix")
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise port_error(error, port=port, server="SMTP server", setting="EMAIL_PORT") from error
    # Connections inherit it. Without it the second line of an answer waits 40 ms to be sent, which
    # would be most of the receiver's time.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _read(envelope: Envelope) -> Mail:
    content: Any = envelope.content
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    text = "" if body is None else str(body.get_content())
    return Mail(
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        subject=str(message["subject"] or ""),
        text=text.replace("\r\n", "\n").rstrip("\n"),
    )
