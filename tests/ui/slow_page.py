"""In the place of the UI's process: its socket is open at once, its page answers after a while.

It ends when the page was asked for, and has left its path in the folder.
"""

import http.server
import socket
import sys
import time
from pathlib import Path


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        Path(sys.argv[2], "asked.txt").write_text(self.path)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    server = http.server.HTTPServer(("127.0.0.1", 0), _Handler, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(sys.argv[1]))
    time.sleep(0.5)
    server.handle_request()
