"""What one idle connection costs a server: many are opened, each asks once, then RssAnon is read."""
import socket
import ssl
import time

COUNT = 400
# The client's preface, its empty SETTINGS, an acknowledgement of the server's, and one request as
# literal header fields: GET /nothing, which every server answers with 404.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0"


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def request(authority):
    block = b"".join([literal(b":method", b"GET"), literal(b":scheme", b"https"), literal(b":path", b"/nothing"),
                      literal(b":authority", authority)])
    return len(block).to_bytes(3, "big") + b"\1\5\0\0\0\1" + block


def connect(server, context):
    raw = socket.create_connection(("127.0.0.1", server.port))
    tls = context.wrap_socket(raw, server_hostname=server.fed.host)
    tls.sendall(PREFACE + request(f"{server.fed.host}:{server.port}".encode()))
    tls.recv(65536)
    return tls


def idle_connection_bytes(server, cert):
    context = ssl.create_default_context(cafile=str(cert.root))
    context.load_cert_chain(str(cert.chain), str(cert.key))
    context.set_alpn_protocols(["h2"])
    held = [connect(server, context) for _ in range(20)]  # what is allocated once
    before = server.rss_anon()
    held += [connect(server, context) for _ in range(COUNT)]
    time.sleep(0.3)
    grown = server.rss_anon() - before
    for tls in held:
        tls.close()
    return grown / COUNT
