"""A mail server on loopback that accepts emails, refuses them or does not answer, as configured."""

from __future__ import annotations

import socketserver
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

#: Default replies by the first word of the command; "." is the end of an email.
ANSWERS = {
    "EHLO": "250 here",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
    "QUIT": "221 bye",
}
#: Close the connection instead of replying.
CUT = ""


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].decode().upper() if line.split() else ""
            server.lines.append(line.decode().strip())
            if not self.answer(word):
                return
            if word == "DATA":
                taken = b""
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    taken += line
                if not line:  # cut off before its end: no server takes such an email
                    return
                server.emails.append(message_from_bytes(taken, policy=policy.default))
                if not self.answer("."):
                    return

    def answer(self, word: str) -> bool:
        server: Any = self.server
        time.sleep(server.delays.get(word, 0))
        said = server.answers.get(word, ANSWERS.get(word, "250 ok"))
        if said:
            self.wfile.write(f"{said}\r\n".encode())
        return bool(said)


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers: dict[str, str] = {}
        #: Seconds before an answer, by the first word of the command.
        self.delays: dict[str, float] = {}
        self.emails: list[EmailMessage] = []
        self.lines: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


def text_of(email: EmailMessage) -> str:
    part: Any = email.get_body(("plain",))
    return str(part.get_content())


def html_of(email: EmailMessage) -> str:
    part: Any = email.get_body(("html",))
    return str(part.get_content())
