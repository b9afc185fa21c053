"""Two federations on one port: nothing of one works at the other. Certificates, sessions, names and authorities are
crossed, with TLS 1.2 and 1.3, by Python's ssl, openssl s_client and h2: none of them is ours."""
import itertools
import re
import socket
import ssl
import subprocess

import h2.connection
import h2.events
import pytest

from fed import Federation

ONE, TWO = "one.test", "two.test"
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
QUERY = "/dns-query?dns=AAABAAABAAAAAAAAA29uZQR0ZXN0AAAGAAE"      # one.test SOA
TARGETS = [f"{service}.{name}" for name in (ONE, TWO) for service in ("broker", "ca")] + [None]
SHOWN = ["none", ONE, TWO]

pytestmark = pytest.mark.parametrize("version", list(VERSIONS))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """one.test and two.test on one listener whose `federation:` is one.test. The member, its NetID and so the names in
    the certificates look the same in both."""
    folder = tmp_path_factory.mktemp("both")
    feds = [Federation(folder, ONE, workers=1), Federation(folder, TWO, workers=1)]
    feds[1].port, feds[1].admin_port = feds[0].port, feds[0].admin_port
    for fed in feds:
        fed.init()
        fed.member("acme", "000013", "127.0.0.1:8005")
        fed.acme = fed.cert("doh", member="acme", folder=folder / fed.name)
    feds[0].start_broker(federations=feds, listen=[
        f"  - {{address: 127.0.0.1, port: {feds[0].port}, serve: https, federation: {ONE}}}"])
    yield {fed.name: fed for fed in feds}
    feds[0].stop()


# --- a foreign client ---

def context_of(both, version, shown):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.check_hostname = False                      # who answered is asserted by hand, for the nameless ones too
    for fed in both.values():
        context.load_verify_locations(fed.root)
    if shown != "none":
        context.load_cert_chain(both[shown].acme.chain, both[shown].acme.key)
    return context


def read_status(tls):
    data = b""
    while b"\r\n\r\n" not in data:
        more = tls.recv(4096)
        if not more:
            return 0
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += tls.recv(4096)
    return int(head.split()[1])


class Tls:
    """One TLS connection; `broken` when the handshake failed."""

    def __init__(self, both, context, target, session=None):
        self.session, self.broken, self.resumed, self.served_by = None, False, False, None
        raw = socket.create_connection(("127.0.0.1", both[ONE].port), 10)
        try:
            self.tls = context.wrap_socket(raw, server_hostname=target, session=session)
        except (ssl.SSLError, OSError):
            self.broken = True
            raw.close()
            return
        self.resumed = self.tls.session_reused
        names = [value for kind, value in self.tls.getpeercert().get("subjectAltName", ()) if kind == "DNS"]
        self.served_by = next(name for name in (ONE, TWO) if f"broker.{name}" in names)

    def ask(self, authority=None):
        """The status of a query; 0: no answer, the connection is over."""
        if self.broken:
            return 0
        host = authority or f"broker.{self.served_by}"
        try:
            self.tls.sendall(f"GET {QUERY} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            status = read_status(self.tls)
        except (ssl.SSLError, OSError):
            return 0
        self.session = self.tls.session                # TLS 1.3: there once something was read
        return status

    def close(self):
        if not self.broken:
            self.tls.close()


def once(both, context, target, session=None):
    client = Tls(both, context, target, session)
    host = target or f"broker.{ONE}"
    status = client.ask(host)
    client.close()
    return client, status


def realm(target):
    """(service, federation) that a server name stands for here."""
    if target is None:
        return "broker", ONE                            # the listener's federation
    service, _, federation = target.partition(".")
    return service, federation


def wanted(target, shown):
    """The status of a query behind a full handshake."""
    service, federation = realm(target)
    if shown not in ("none", federation):
        return 0                                        # another federation's certificate: no handshake anywhere
    if service == "broker":
        return 200 if shown == federation else 0
    return 0 if shown == "none" else 421                # ca.<fed> serves no DNS, and nothing to the nameless


# --- full handshakes ---

@pytest.mark.parametrize("target,shown", list(itertools.product(TARGETS, SHOWN)))
def test_a_certificate_works_only_in_its_federation(both, version, target, shown):
    client, status = once(both, context_of(both, version, shown), target)
    assert status == wanted(target, shown)
    if not client.broken:
        assert client.served_by == realm(target)[1]


@pytest.mark.parametrize("target", ["broker.three.test", "one.test", "two.test", "acme.member.one.test",
                                    "broker.one.test.two.test", "xbroker.one.test", "localhost"])
def test_an_unknown_server_name_is_refused_by_name(both, version, target):
    context = context_of(both, version, ONE)
    with socket.create_connection(("127.0.0.1", both[ONE].port), 10) as raw:
        with pytest.raises(ssl.SSLError, match="(?i)unrecognized.name"):
            context.wrap_socket(raw, server_hostname=target)


def test_letter_case_of_the_server_name_does_not_matter(both, version):
    client, status = once(both, context_of(both, version, TWO), "BROKER.Two.Test")
    assert (status, client.served_by) == (200, TWO)


def test_a_leaf_of_one_that_names_the_other_is_worth_nothing(both, version, tmp_path):
    """A rogue or stolen issuing key of one.test: it cannot make members of two.test, and not unrecorded ones either."""
    issuing = next((both[ONE].state / "ca").glob("*.key"))
    key, request, leaf, chain = (tmp_path / name for name in ("k", "r", "l", "c"))
    ext = tmp_path / "ext"
    ext.write_text("subjectAltName=DNS:acme.member.two.test\nextendedKeyUsage=clientAuth\n"
                   "keyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n")
    run = lambda *args: subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
    run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=acme",
        "-keyout", key, "-out", request)
    run("x509", "-req", "-in", request, "-CA", issuing.with_suffix(".pem"), "-CAkey", issuing, "-days", "30",
        "-set_serial", "0x4000000000000000000000000000beef", "-extfile", ext, "-out", leaf)
    chain.write_text(leaf.read_text() + issuing.with_suffix(".pem").read_text())
    context = context_of(both, version, "none")
    context.load_cert_chain(chain, key)
    assert once(both, context, f"broker.{TWO}")[1] == 0
    assert once(both, context, f"broker.{ONE}")[1] in (0, 403)      # 0: the CA may be bound to its own names


# --- resumed ones ---

@pytest.mark.parametrize("first,then", list(itertools.product(TARGETS, TARGETS)))
@pytest.mark.parametrize("shown", SHOWN)
def test_a_session_resumes_only_where_it_was_made(both, version, first, then, shown):
    """Made at `first`, offered to `then` with the same certificate (or none). A session that may not be resumed must
    leave things exactly as a full handshake does."""
    context = context_of(both, version, shown)
    made = Tls(both, context, first)
    if not made.broken and version == "1.2":
        made.session = made.tls.session
    made.ask(first or f"broker.{ONE}")
    made.close()
    if made.session is None:
        assert wanted(first, shown) == 0                # nothing to offer: it was refused before a session came
        return
    for _ in range(2):                                  # a second time: the attempt must not have opened a way
        again, status = once(both, context, then, made.session)
        assert status == wanted(then, shown)
        if again.broken:
            continue
        assert again.served_by == realm(then)[1]
        if realm(first) != realm(then):
            assert not again.resumed
        elif version == "1.2" and first == then:
            assert again.resumed


def test_sessions_do_resume_where_they_may(both, version):
    for target, shown in ((f"broker.{ONE}", ONE), (f"broker.{TWO}", TWO), (None, ONE)):
        context = context_of(both, version, shown)
        session = once(both, context, target)[0].session
        for _ in range(3):
            client, status = once(both, context, target, session)
            assert (status, client.resumed) == (200, True)
            session = client.session


@pytest.mark.parametrize("made_by,offered_by", [(a, b) for a in SHOWN for b in SHOWN if a != b])
@pytest.mark.parametrize("then", [f"broker.{ONE}", f"broker.{TWO}"])
def test_a_session_with_another_certificate_opens_nothing(both, version, made_by, offered_by, then, tmp_path):
    """openssl s_client: the session is made with one certificate (or none, at ca.) and offered with another."""
    session = tmp_path / "session"
    home = made_by if made_by != "none" else realm(then)[1]
    first = f"broker.{home}" if made_by != "none" else f"ca.{home}"
    s_client(both, version, first, made_by, "-sess_out", session)
    if not session.exists():
        pytest.skip("the server gave no session")       # ca. closes on a client without a certificate, TLS 1.3
    out = s_client(both, version, then, offered_by, "-sess_in", session)
    if realm(first) == realm(then):                     # resumed: it is the first certificate's connection still
        assert "Reused, " in out
        assert statuses(out) == [200 if made_by == realm(then)[1] else 0]
    else:
        assert "Reused, " not in out
        assert statuses(out) == [wanted(then, offered_by)]


def s_client(both, version, target, shown, *more):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{both[ONE].port}", "-servername", target, "-nocommands",
               "-ign_eof", f"-tls{version.replace('.', '_')}", *map(str, more)]
    if shown != "none":
        command += ["-cert", str(both[shown].acme.chain), "-key", str(both[shown].acme.key)]
    request = f"GET {QUERY} HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\n\r\n"
    done = subprocess.run(command, input=request.encode(), capture_output=True, timeout=20, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def statuses(out):
    return [int(s) for s in re.findall(r"HTTP/1\.1 (\d{3})", out)] or [0]


# --- authorities ---

@pytest.mark.parametrize("authority,status", [
    (f"broker.{ONE}", 200), (f"broker.{ONE}:443", 200), (f"BROKER.{ONE}.", 200), ("127.0.0.1", 200), ("[::1]:8443", 200),
    (f"broker.{TWO}", 421), (f"ca.{ONE}", 421), (f"ca.{TWO}", 421), (f"{ONE}", 421), ("localhost", 421),
    (f"broker.{ONE}.{TWO}", 421), ("broker.three.test", 421),
])
def test_an_open_connection_answers_for_its_own_name_only(both, version, authority, status):
    for target in (f"broker.{ONE}", None):
        client = Tls(both, context_of(both, version, ONE), target)
        assert client.ask(f"broker.{ONE}") == 200
        assert client.ask(authority) == status
        assert client.ask(f"broker.{ONE}") == 200       # and the connection is none the worse for it
        client.close()


def test_a_resumed_connection_answers_for_its_own_name_only(both, version):
    context = context_of(both, version, TWO)
    session = once(both, context, f"broker.{TWO}")[0].session
    client = Tls(both, context, f"broker.{TWO}", session)
    assert client.resumed
    assert [client.ask(a) for a in (f"broker.{ONE}", f"ca.{TWO}", f"broker.{TWO}")] == [421, 421, 200]
    client.close()


def test_http2_coalescing_onto_the_other_federation_is_misdirected(both, version):
    """RFC 9113 §9.1.1: a client may reuse a connection for another authority; here each name has its own."""
    context = context_of(both, version, ONE)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", both[ONE].port), 10) as raw:
        with context.wrap_socket(raw, server_hostname=f"broker.{ONE}") as tls:
            connection = h2.connection.H2Connection()
            connection.initiate_connection()
            streams = {}
            for authority in (f"broker.{ONE}", f"broker.{TWO}", f"ca.{ONE}", f"broker.{ONE}"):
                stream = connection.get_next_available_stream_id()
                streams[stream] = authority
                connection.send_headers(stream, [(":method", "GET"), (":scheme", "https"), (":path", QUERY),
                                                 (":authority", authority)], end_stream=True)
            tls.sendall(connection.data_to_send())
            got = {}
            while len(got) < len(streams):
                for event in connection.receive_data(tls.recv(65536)):
                    if isinstance(event, h2.events.ResponseReceived):
                        got[event.stream_id] = int(dict(event.headers)[b":status"])
    assert [got[s] for s in sorted(got)] == [200, 421, 421, 200]


# --- the listener's federation ---

def test_without_a_federation_on_the_listener_the_nameless_are_refused(version, tmp_path):
    feds = [Federation(tmp_path, ONE, workers=1), Federation(tmp_path, TWO, workers=1)]
    feds[1].port, feds[1].admin_port = feds[0].port, feds[0].admin_port
    try:
        for fed in feds:
            fed.init()
            fed.member("acme", "000013", "127.0.0.1:8005")
            fed.acme = fed.cert("doh", member="acme", folder=tmp_path / fed.name)
        feds[0].start_broker(federations=feds)
        both = {fed.name: fed for fed in feds}
        for shown in SHOWN:
            assert once(both, context_of(both, version, shown), None)[1] == 0
        assert once(both, context_of(both, version, TWO), f"broker.{TWO}")[1] == 200
        assert 'reason="no server name"' in feds[0].broker.text()
        # and the way to serve them is one key and a signal
        feds[0].write_config(federations=feds, listen=[
            f"  - {{address: 127.0.0.1, port: {feds[0].port}, serve: https, federation: {TWO}}}"])
        feds[0].broker.signal(1)
        feds[0].broker.wait_for("broker.reloaded")
        client, status = once(both, context_of(both, version, TWO), None)
        assert client.served_by == TWO
        assert once(both, context_of(both, version, ONE), None)[1] == 0
    finally:
        feds[0].stop()
