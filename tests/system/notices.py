"""What tests of alarms share: programs and receivers that are told, and what is noted."""
import http.server
import json
import threading

from fed import wait_until
from replicas import set_federation


class Receiver:
    """Takes POSTed notices, or answers as it is told to."""

    def __init__(self, port=0, tls=None):
        receiver = self
        self.taken, self.status, self.fields = [], 204, {}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.taken.append((self.path, self.headers["content-type"], json.loads(body)))
                self.send_response(receiver.status)
                for name, value in receiver.fields.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def notices(self):
        return [notice for _, _, notice in self.taken]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def program(fed, name, script):
    path = fed.folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def pager(fed, name="pager", then="exit 0"):
    """A program that keeps a line for each notice: (path of the program, function that reads them)."""
    got = fed.folder / f"{name}.got"
    path = program(fed, name, f"cat >> {got}; echo >> {got}; {then}")
    return path, lambda: [json.loads(line) for line in got.read_text().splitlines()] if got.exists() else []


def configure(fed, *lines):
    """With these lines below notify:, and with a notice that is open from the beginning: no backup was ever made."""
    fed.has_backup = False
    fed.write_config()
    set_federation(fed, "notify:\n" + "\n".join(f"  {line}" for line in lines))


def listed(fed, *more):
    return {row["id"]: row for row in fed.json("notify", "list", *more)}


def doctor(fed):
    done = fed.cli("-o", "json", "doctor", code=None)
    return json.loads(done.stdout)


def tried(fed, code):
    """notify test: {way: row}."""
    return {row["way"]: row for row in json.loads(fed.cli("-o", "json", "notify", "test", code=code).stdout)}


def reload(fed):
    before = fed.metrics().get('fedroam_config_reloads_total{result="loaded"}', 0)
    fed.broker.signal(1)
    wait_until(lambda: fed.metrics().get('fedroam_config_reloads_total{result="loaded"}', 0) > before, what="the reload")
