"""h2spec against the broker: every case of RFC 7540 and 7541 that it knows, strict ones included.

h2spec cannot present a client certificate, so it speaks plain HTTP/2 to a relay here that does:
    run.py H2SPEC-PROGRAM          (FR_BIN: where the programs are)
"""
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from fed import Federation  # noqa: E402

QUERY = "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"


def carry(plain, secure):
    """Octets both ways until one side ends."""
    secure.setblocking(False)
    while True:
        ready, _, _ = select.select([plain, secure], [], [])
        if plain in ready:
            octets = plain.recv(65536)
            if not octets:
                return
            secure.setblocking(True)
            secure.sendall(octets)
            secure.setblocking(False)
        try:
            while secure in ready:
                octets = secure.recv(65536)
                if not octets:
                    return
                plain.sendall(octets)
        except ssl.SSLWantReadError:
            pass


def serve(plain, fed, context):
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        with socket.create_connection(("127.0.0.1", fed.port)) as tcp:
            with context.wrap_socket(tcp, server_hostname=fed.host) as secure:
                carry(plain, secure)
    except OSError:
        pass            # either side may break off: h2spec judges what it saw
    finally:
        plain.close()


def relay(fed, cert):
    """The port of a listener that speaks for the member."""
    context = ssl.create_default_context(cafile=str(fed.root))
    context.load_cert_chain(cert.chain, cert.key)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=serve, args=(plain, fed, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main():
    with tempfile.TemporaryDirectory(prefix="fr-h2spec-") as folder:
        fed = Federation(pathlib.Path(folder), workers=1)
        fed.init()
        fed.member("acme", "000013", "127.0.0.1:8005")
        fed.start_broker()
        try:
            port = relay(fed, fed.cert("doh", member="acme"))
            done = subprocess.run([sys.argv[1], "--strict", "--host", "127.0.0.1", "--port", str(port),
                                   "--path", QUERY, "--timeout", "10"], check=False)
        finally:
            fed.stop()
    return done.returncode


sys.exit(main())
