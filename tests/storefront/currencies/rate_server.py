"""A source of exchange rates: an HTTP server on loopback that gives the configured answers and stores the requests."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ECB = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
  <Cube>
    <Cube time='{day}'>
      <Cube currency='USD' rate='1.0870'/>
      <Cube currency='JPY' rate='164.39'/>
      <Cube currency='TRY' rate='45.2945'/>
    </Cube>
  </Cube>
</gesmes:Envelope>
"""  # as the ECB publishes it


class RateServer:
    """``body`` is text, bytes or data for JSON; ``pause`` is in seconds before the answer and between its bytes."""

    def __init__(self) -> None:
        self.body: Any = {"base": "USD", "rates": {"EUR": 0.92, "JPY": 151.23, "TRY": 41.67}}
        self.status, self.headers = 200, {"Content-Type": "application/json"}
        self.pause, self.chunk_pause = 0.0, 0.0
        self.requests: list[tuple[str, dict[str, str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.requests.append((self.path, dict(self.headers.items())))
                time.sleep(server.pause)
                body = server.body if isinstance(server.body, (str, bytes)) else json.dumps(server.body)
                raw = body.encode() if isinstance(body, str) else body
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                try:
                    self.end_headers()
                    if not server.chunk_pause:
                        self.wfile.write(raw)
                        return
                    for byte in raw:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(server.chunk_pause)
                except OSError:
                    pass  # the shop has hung up

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/latest"

    def __enter__(self) -> RateServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
