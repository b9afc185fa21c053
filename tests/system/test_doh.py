"""DNS over HTTPS as RFC 8484 and RFC 9110 have it: methods, status codes, headers, on HTTP/1.1 and HTTP/2."""
import base64
import socket
import ssl

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import h2.connection
import h2.events
import pytest

DEVICE = "70b3d57ed0000001.deveui.fed.test"
MEDIA = "content-type: application/dns-message"

pytestmark = pytest.mark.parametrize("http", ["--http1.1", "--http2"])


def wire(name=DEVICE, rdtype="A", **more):
    query = dns.message.make_query(name, rdtype, **more)
    query.id = 0x1234
    return query.to_wire()


def get_path(message, more=""):
    return "/dns-query?dns=" + base64.urlsafe_b64encode(message).rstrip(b"=").decode() + more


def post(fed, http, message, *args, cert=None, **more):
    body = fed.folder / "body"
    body.write_bytes(message)
    return fed.curl(http, "-H", MEDIA, "--data-binary", f"@{body}", *args, cert=cert or fed.acme, **more)


def check_answer(status, headers, body, max_age=60):
    assert status == 200, body
    assert headers["content-type"] == "application/dns-message"
    assert int(headers["content-length"]) == len(body)
    assert headers["cache-control"] == f"private, max-age={max_age}"
    reply = dns.message.from_wire(body)
    assert reply.id == 0x1234
    assert reply.rcode() == dns.rcode.NOERROR
    return reply


def test_get_and_post_give_the_same(shared, http):
    got = shared.curl(http, cert=shared.acme, path=get_path(wire()))
    posted = post(shared, http, wire())
    check_answer(*got)
    check_answer(*posted)
    assert got[2] == posted[2]


def test_head_has_the_fields_of_get(shared, http):
    status, headers, body = shared.curl(http, "--head", cert=shared.acme, path=get_path(wire()))
    _, wanted, _ = shared.curl(http, cert=shared.acme, path=get_path(wire()))
    assert status == 200
    for name in ("content-type", "content-length", "cache-control"):
        assert headers[name] == wanted[name]


def test_max_age_is_the_smallest_ttl(shared, http):
    check_answer(*shared.curl(http, cert=shared.acme, path=get_path(wire(rdtype="CNAME"))), max_age=3600)


def test_other_parameters_and_accept_are_ignored(shared, http):
    check_answer(*shared.curl(http, "-H", "accept: text/html", cert=shared.acme, path=get_path(wire(), "&a=b&c")))


def test_a_post_without_content_length(shared, http):
    check_answer(*post(shared, http, wire(), "-H", "content-length:", "-H", "transfer-encoding: chunked")
                 if http == "--http1.1" else post(shared, http, wire(), "-H", "content-length:"))


def test_a_media_type_with_parameter_and_other_case(shared, http):
    body = shared.folder / "body"
    body.write_bytes(wire())
    check_answer(*shared.curl(http, "-H", "content-type: Application/DNS-Message; x=y", "--data-binary", f"@{body}",
                              cert=shared.acme))


def test_edns_is_echoed_only_when_asked(shared, http):
    assert check_answer(*post(shared, http, wire())).edns == -1
    reply = check_answer(*post(shared, http, wire(use_edns=0)))
    assert reply.edns == 0 and not reply.options
    padded = check_answer(*post(shared, http, wire(use_edns=0, pad=128)))
    assert len(padded.to_wire()) > 0 and any(o.otype == 12 for o in padded.options)


def test_a_padded_query_gets_a_padded_answer(shared, http):
    status, _, body = post(shared, http, wire(use_edns=0, pad=128))
    assert status == 200 and len(body) % 468 == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "FOO"])
def test_other_methods_are_refused_with_allow(shared, http, method):
    status, headers, _ = shared.curl(http, "-X", method, cert=shared.acme, path=get_path(wire()))
    assert status == 405
    assert headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path,status", [
    ("/dns-query", 400),
    ("/dns-query?", 400),
    ("/dns-query?dns=", 400),
    ("/dns-query?dns=AAAA", 400),
    ("/dns-query?dns=" + "A" * 15, 400),
    ("/dns-query?dns=" + base64.urlsafe_b64encode(wire()).decode(), 400),    # with its padding
    ("/dns-query?dns=AA*A", 400),
    (get_path(wire()) + "&dns=AAAA", 400),
    ("/dns-query?dns=" + "A" * 9000, 414),
    ("/", 404),
    ("/dns-query/", 404),
    ("/dns-quer", 404),
    ("/DNS-query", 404),
])
def test_bad_get(shared, http, path, status):
    got, headers, _ = shared.curl(http, cert=shared.acme, path=path)
    assert got == status
    assert "application/dns-message" not in headers["content-type"]


@pytest.mark.parametrize("kind,status", [("text/plain", 415), ("application/dns-json", 415), ("", 415)])
def test_other_media_types(shared, http, kind, status):
    body = shared.folder / "body"
    body.write_bytes(wire())
    assert shared.curl(http, "-H", f"content-type:{' ' + kind if kind else ''}", "--data-binary", f"@{body}",
                       cert=shared.acme)[0] == status


@pytest.mark.parametrize("n,status", [(0, 400), (11, 400), (65535, 200), (65536, 413)])
def test_sizes_of_a_post(shared, http, n, status):
    got, headers, body = post(shared, http, bytes(n))
    assert got == status
    if status == 200:
        assert dns.message.from_wire(body).rcode() == dns.rcode.FORMERR
        assert headers["cache-control"] == "no-store"


def test_a_body_that_is_far_too_long(shared, http):
    """Told from the content-length, before the body is there; curl's HTTP/2 gives up on such an early answer, so h2 reads it."""
    if http == "--http1.1":
        assert post(shared, http, bytes(70000))[0] == 413
        return
    context = ssl.create_default_context(cafile=str(shared.root))
    context.load_cert_chain(shared.acme.chain, shared.acme.key)
    context.set_alpn_protocols(["h2"])
    client = h2.connection.H2Connection()
    client.initiate_connection()
    client.send_headers(1, [(":method", "POST"), (":path", "/dns-query"), (":scheme", "https"), (":authority", shared.host),
                            ("content-type", "application/dns-message"), ("content-length", "70000")])
    with socket.create_connection(("127.0.0.1", shared.port), 5) as raw, \
            context.wrap_socket(raw, server_hostname=shared.host) as tls:
        tls.sendall(client.data_to_send())
        events = []
        while not any(isinstance(e, h2.events.StreamEnded) for e in events):
            data = tls.recv(65536)
            assert data, events
            events += client.receive_data(data)
    response = next(e for e in events if isinstance(e, h2.events.ResponseReceived))
    assert dict(response.headers)[b":status"] == b"413"


def test_twelve_octets_of_noise_get_formerr(shared, http):
    status, headers, body = post(shared, http, b"\xab\xcd" + bytes(10))
    assert (status, body) == (200, b"\xab\xcd\x80\x01" + bytes(8))
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("change,rcode", [
    (lambda m: m.set_opcode(dns.opcode.NOTIFY), "NOTIMP"),
    (lambda m: m.use_edns(1), "BADVERS"),
    (lambda m: setattr(m, "flags", m.flags | dns.flags.QR), "FORMERR"),
])
def test_odd_messages(shared, http, change, rcode):
    query = dns.message.make_query(DEVICE, "A")
    change(query)
    status, headers, body = post(shared, http, query.to_wire())
    assert status == 200 and headers["cache-control"] == "no-store"
    assert dns.rcode.to_text(dns.message.from_wire(body).rcode()) == rcode


def test_names_of_others_are_refused_with_the_reason(shared, http):
    status, headers, body = post(shared, http, wire("example.org", use_edns=0))
    reply = dns.message.from_wire(body)
    assert (status, reply.rcode(), headers["cache-control"]) == (200, dns.rcode.REFUSED, "no-store")
    assert [o.otype for o in reply.options] == [15]


def test_one_exchange_is_enough(shared, http):
    reply = check_answer(*post(shared, http, wire()))
    assert [(r.name.to_text(), r.rdtype) for r in reply.answer] == [
        (f"{DEVICE}.", dns.rdatatype.CNAME), ("000013.netid.fed.test.", dns.rdatatype.A)]
    there = {(r.name.to_text(), dns.rdatatype.to_text(r.rdtype)) for r in reply.additional}
    assert there == {("000013.netid.fed.test.", "AAAA"), ("_fedroam._tcp.000013.netid.fed.test.", "SRV"),
                     ("e1.000013.netid.fed.test.", "A"), ("e2.000013.netid.fed.test.", "AAAA"),
                     ("_ns.000013.netid.fed.test.", "TLSA")}


def test_a_certificate_without_the_right_is_told_so(fed, http):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    assert fed.query_raw(DEVICE, "A", cert, http)[0] == 200
    fed.cli("cert", "set", cert.serial, "--right", "publish", "--yes")
    status, headers, body = fed.query_raw(DEVICE, "A", cert, http)
    assert status == 403 and b"right" in body, body
    assert headers["cache-control"] == "no-store"
    fed.broker.wait_for("why=no-right")
