"""A relay that lets so many octets of a TCP connection's answers through, and then cuts it or falls silent; datagrams pass."""
import contextlib
import socket
import threading


class Relay:
    """let_through: None, or the octets of answers of a connection, after which on_cut() is called and the connection ends; with `stalls` it
    stays open, and nothing comes any more."""

    def __init__(self, port, on_cut=None):
        self.to, self.on_cut = port, on_cut
        self.let_through, self.stalls, self.cuts = None, False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stalled = []
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()
        threading.Thread(target=self._ask, daemon=True).start()

    def _ask(self):
        while self.datagrams.fileno() >= 0:
            with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                question, client = self.datagrams.recvfrom(65536)
                server.settimeout(2)
                server.sendto(question, ("127.0.0.1", self.to))
                self.datagrams.sendto(server.recv(65536), client)

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                if self.listener.fileno() < 0:
                    return
                client.close()  # who is relayed to is away
                continue
            for one, other, is_answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=(one, other, is_answers), daemon=True).start()

    def _pass_on(self, one, other, is_answers):
        n = 0
        with contextlib.suppress(OSError):
            while data := one.recv(4096):
                n += len(data)
                if is_answers and self.let_through is not None and n > self.let_through:
                    self.cuts += 1
                    if self.stalls:
                        self.stalled.append((one, other))
                        return
                    if self.on_cut:
                        self.on_cut()
                    break
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.datagrams.close()
        for pair in self.stalled:
            for end in pair:
                end.close()
