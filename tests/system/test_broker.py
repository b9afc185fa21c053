"""The broker as its users meet it: kdig, dig, curl and dnspython with certificates over real TLS."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from fed import BIN, ENV, Daemon, Federation, free_port, wait_until

DEVICE = "70b3d57ed0000001.deveui.fed.test"
ABSENT = "70b3d57ed00000ff.deveui.fed.test"


def foreign_cert(folder, fed, same_names=False):
    """A client certificate of another federation (or of one that has our name)."""
    folder.mkdir(exist_ok=True)
    other = Federation(folder, fed.name if same_names else "other.test")
    other.init()
    other.member("acme", "000013", "127.0.0.1:8005")
    return other.cert("doh", member="acme")


def answers(message):
    return [(r.name.to_text(), dns.rdatatype.to_text(r.rdtype), sorted(i.to_text() for i in r)) for r in message.answer]


# --- answers ---

@pytest.mark.parametrize("http", ["--http2", "--http1.1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_device_is_found_over_every_way_in(shared, http, method):
    reply = shared.query(DEVICE, "A", shared.acme, http=http, method=method)
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.flags & dns.flags.AA
    assert answers(reply) == [(DEVICE + ".", "CNAME", ["000013.netid.fed.test."]),
                              ("000013.netid.fed.test.", "A", ["127.0.0.1"])]


def test_kdig_finds_a_device(shared):
    out = shared.kdig(DEVICE, "A", shared.acme)
    assert "status: NOERROR" in out and "000013.netid.fed.test." in out, out


def test_dig_finds_a_device(shared):
    out = shared.dig(DEVICE, "A", shared.acme)
    assert "status: NOERROR" in out and "000013.netid.fed.test." in out, out


def test_dig_without_a_server_name_gets_the_only_federation(shared):
    out = subprocess.run(["dig", "@127.0.0.1", "-p", str(shared.port), "+https", f"+tls-ca={shared.root}",
                          f"+tls-hostname={shared.host}", f"+tls-certfile={shared.acme.chain}",
                          f"+tls-keyfile={shared.acme.key}", "+tries=1", DEVICE, "TXT"],
                         capture_output=True, text=True, check=False).stdout
    assert "status: NOERROR" in out, out


def test_an_unknown_device_is_nxdomain_with_the_soa(shared):
    reply = shared.query(ABSENT, "A", shared.acme)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert [dns.rdatatype.to_text(r.rdtype) for r in reply.authority] == ["SOA"]


def test_headers_of_an_answer(shared):
    status, headers, body = shared.query_raw(DEVICE, "A", shared.acme)
    assert status == 200
    assert headers["content-type"] == "application/dns-message"
    assert int(headers["content-length"]) == len(body)
    assert headers["cache-control"] == "private, max-age=60"


@pytest.mark.parametrize("args,status", [
    (["-X", "PUT"], 405),
    (["-H", "content-type: text/plain", "--data", "x"], 415),
    (["-H", "content-type: application/dns-message", "--data", "x"], 400),
])
def test_wrong_requests_get_the_status_of_rfc_8484(shared, args, status):
    assert shared.curl(*args, cert=shared.acme)[0] == status


def test_another_path_is_not_found(shared):
    assert shared.curl(cert=shared.acme, path="/")[0] == 404


# --- identity ---

def test_no_certificate_is_refused(shared):
    for _ in range(5):                       # every time: the alert must not lose a race against the reset
        status, headers, _ = shared.query_raw(DEVICE, "A", None)
        assert status == 0 and "certificate required" in headers["error"], (status, headers)


def test_a_certificate_of_another_federation_is_refused(shared, tmp_path):
    assert shared.query_raw(DEVICE, "A", foreign_cert(tmp_path / "o", shared))[0] == 0


def test_a_certificate_of_a_ca_with_our_names_is_refused(shared, tmp_path):
    assert shared.query_raw(DEVICE, "A", foreign_cert(tmp_path / "o", shared, same_names=True))[0] == 0


def test_an_unknown_server_name_is_refused(shared):
    status, headers, _ = shared.query_raw(DEVICE, "A", shared.acme, host="broker.other.test")
    assert status == 0 and "unrecognized name" in headers["error"].lower(), headers


def test_the_ca_name_serves_no_dns(shared):
    status, _, _ = shared.query_raw(DEVICE, "A", shared.acme, host="ca.fed.test")
    assert status in (404, 421)


def test_an_authority_of_another_service_is_misdirected(shared):
    assert shared.curl("-H", "host: ca.fed.test", cert=shared.acme, path="/dns-query?dns=AAAA")[0] == 421


def test_a_session_of_the_ca_name_does_not_resume_on_the_broker_name(shared):
    context = ssl.create_default_context(cafile=str(shared.root))
    context.maximum_version = ssl.TLSVersion.TLSv1_2   # the session exists right after the handshake
    with socket.create_connection(("127.0.0.1", shared.port), 5) as raw:
        with context.wrap_socket(raw, server_hostname="ca.fed.test") as tls:
            session = tls.session
    assert session is not None
    with socket.create_connection(("127.0.0.1", shared.port), 5) as raw, pytest.raises((ssl.SSLError, OSError)):
        with context.wrap_socket(raw, server_hostname="broker.fed.test", session=session) as tls:
            tls.sendall(b"GET /dns-query?dns=AAAA HTTP/1.1\r\nhost: broker.fed.test\r\n\r\n")
            assert tls.recv(100) == b""


class Kept:
    """One kept HTTP/1.1 connection with a certificate."""

    def __init__(self, fed, cert):
        context = ssl.create_default_context(cafile=str(fed.root))
        context.load_cert_chain(cert.chain, cert.key)
        raw = socket.create_connection(("127.0.0.1", fed.port), 10)
        self.tls = context.wrap_socket(raw, server_hostname=fed.host)
        self.host = fed.host

    def ask(self):
        """The status of a query for the SOA; 0 when the connection is closed."""
        self.tls.sendall(f"GET /dns-query?dns=AAABAAABAAAAAAAAA2ZlZAR0ZXN0AAAGAAE HTTP/1.1\r\nhost: {self.host}\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            more = self.tls.recv(4096)
            if not more:
                return 0
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(l.split(b":")[1]) for l in head.split(b"\r\n") if l.lower().startswith(b"content-length"))
        while len(body) < length:
            body += self.tls.recv(4096)
        return int(head.split()[1])

    def close(self):
        self.tls.close()


def test_a_revocation_reaches_an_open_connection(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    kept = Kept(fed, cert)
    assert kept.ask() == 200
    assert kept.ask() == 200
    fed.cli("cert", "revoke", cert.serial, "--yes", "--reason", "test")
    assert kept.ask() == 403
    with pytest.raises((AssertionError, OSError)):     # and the connection is closed
        assert kept.ask() != 0
    wait_until(lambda: "query.refused" in fed.broker.text(), 5, "the refusal in the log")
    assert fed.query_raw("fed.test", "SOA", cert)[0] == 403


def test_a_suspended_member_is_refused_and_its_devices_vanish_until_resumed(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    acme, umbra = fed.cert("doh", member="acme"), fed.cert("doh", member="umbra")
    fed.start_broker()
    fed.cli("member", "suspend", "acme", "--yes")
    assert fed.query_raw(DEVICE, "A", acme)[0] == 403
    assert fed.query(DEVICE, "A", umbra).rcode() == dns.rcode.NXDOMAIN
    fed.cli("member", "resume", "acme")
    assert fed.query(DEVICE, "A", acme).rcode() == dns.rcode.NOERROR
    assert fed.query(DEVICE, "A", umbra).rcode() == dns.rcode.NOERROR


# --- changes while it runs ---

def test_changes_go_through_the_running_broker(fed):
    fed.start_broker()
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    assert fed.query(DEVICE, "A", cert).rcode() == dns.rcode.NXDOMAIN
    fed.devices("000013", ["70b3d57ed0000001"])
    assert fed.query(DEVICE, "A", cert).rcode() == dns.rcode.NOERROR
    wait_until(lambda: fed.broker.text().count("admin.change") >= 3, 5, "the changes in the log")
    fed.cli("member", "add", "umbra", "--netid", "000013", code=9)


def test_a_big_import_does_not_hold_up_a_single_change(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.start_broker()
    rows = "".join(f"{0x70b3d57ed0000000 + i:016x}\n" for i in range(300_000))
    result = {}

    def work():
        result["import"] = fed.cli("zone", "import", "--netid", "000013", "-", "--yes", stdin=rows)
        result["imported"] = time.monotonic()

    thread = threading.Thread(target=work)
    thread.start()
    single = 0
    while thread.is_alive():
        fed.cli("policy", "set", "ttl.netid", f"{60 + single % 10}s")
        single += 1
    thread.join()
    assert result["import"].returncode == 0
    assert single >= 2
    assert fed.json("zone", "stats")["devices"] == 300_000


# --- running it ---

def test_health_and_readiness(shared):
    assert shared.curl_plain("/healthz").stdout.endswith("200")
    assert shared.curl_plain("/readyz").stdout.endswith("200")
    assert shared.curl_plain("/nothing").stdout.endswith("404")


def test_metrics_are_openmetrics_and_count(shared):
    before = shared.metrics()
    shared.query(DEVICE, "A", shared.acme)
    shared.query(ABSENT, "A", shared.acme)
    after = shared.metrics()
    text = shared.curl_plain("/metrics").stdout
    assert "\n# EOF\n" in text
    def grew(name):
        return after[name] - before.get(name, 0)
    assert grew('fedroam_dns_responses_total{federation="fed.test",rcode="NOERROR"}') == 1
    assert grew('fedroam_dns_responses_total{federation="fed.test",rcode="NXDOMAIN"}') == 1
    assert after['fedroam_store_devices{federation="fed.test"}'] == 3


def test_sighup_reloads_and_a_bad_file_changes_nothing(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    good = fed.config.read_text()
    fed.config.write_text(good + "worker: 3\n")
    fed.broker.signal(signal.SIGHUP)
    fed.broker.wait_for("broker.reload_failed")
    assert "worker" in fed.broker.text() and "workers" in fed.broker.text()
    assert fed.query("fed.test", "SOA", cert).rcode() == dns.rcode.NOERROR
    fed.config.write_text(good)
    fed.broker.signal(signal.SIGHUP)
    fed.broker.wait_for("broker.reloaded")
    assert fed.query("fed.test", "SOA", cert).rcode() == dns.rcode.NOERROR


def test_sigterm_under_load_ends_cleanly(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    stop = threading.Event()
    good = []

    def load():
        while not stop.is_set():
            try:
                kept = Kept(fed, cert)
                for _ in range(20):
                    good.append(kept.ask())
                kept.close()
            except (OSError, StopIteration):
                pass

    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    wait_until(lambda: len(good) > 50, 30, "load")
    code = fed.broker.stop()
    stop.set()
    for t in threads:
        t.join()
    assert code == 0
    assert 200 in good and set(good) <= {200, 0}
    fed.broker = None


def test_kill_and_restart_loses_nothing(fed):
    fed.start_broker()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.devices("000013", ["70b3d57ed0000001"])
    cert = fed.cert("doh", member="acme")
    fed.broker.kill()
    fed.cli("member", "add", "umbra", "--netid", "000014", "--endpoint", "127.0.0.2:8005")   # in-process: stale socket
    fed.start_broker()
    assert fed.query(DEVICE, "A", cert).rcode() == dns.rcode.NOERROR
    assert {m["id"] for m in fed.json("member", "list")} == {"acme", "umbra"}


def test_a_new_server_certificate_is_used_without_a_signal(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()

    def shown():
        context = ssl.create_default_context(cafile=str(fed.root))
        context.load_cert_chain(cert.chain, cert.key)
        with socket.create_connection(("127.0.0.1", fed.port), 5) as raw:
            with context.wrap_socket(raw, server_hostname=fed.host) as tls:
                return tls.getpeercert()["serialNumber"]

    first = shown()
    fresh = fed.cert("broker", host="b2", folder=fed.folder / "fresh")
    shutil.copy(fed.folder / "fresh" / "broker-b2.key", fed.state / "server.key")       # key first: one moment of mismatch
    shutil.copy(fed.folder / "fresh" / "broker-b2.chain.pem", fed.state / "server.chain.pem")
    wait_until(lambda: shown() != first, 10, "the new certificate")
    assert shown().lower() == fresh.serial
    (fed.state / "server.chain.pem").write_text("nonsense")
    fed.broker.wait_for("certificate.refused")
    assert shown().lower() == fresh.serial


def test_sighup_adds_and_removes_federations_and_listeners(tmp_path):
    one, two = Federation(tmp_path, "one.test"), Federation(tmp_path, "two.test")
    certs = []
    for fed in (one, two):
        fed.init()
        fed.member("acme", "000013", "127.0.0.1:8005")
        certs.append(fed.cert("doh", member="acme", folder=tmp_path / f"certs-{fed.name}"))

    def asks(fed, cert):
        return fed.query_raw(fed.name, "SOA", cert)[0]

    try:
        one.start_broker()
        assert asks(two, certs[1]) == 0
        both = [f"  - {{address: 127.0.0.1, port: {f.port}}}" for f in (one, two)]
        one.write_config(federations=[one, two], listen=both)
        one.broker.signal(signal.SIGHUP)
        wait_until(lambda: asks(two, certs[1]) == 200, 10, "the second federation")
        assert asks(one, certs[0]) == 200
        two.cli("member", "add", "umbra", "--netid", "000014")       # through the broker: it has a control socket now
        assert "federation=two.test op=member.add actor=local:" in one.broker.text()
        one.write_config()
        one.broker.signal(signal.SIGHUP)
        wait_until(lambda: asks(two, certs[1]) == 0, 10, "the second federation to go")
        assert asks(one, certs[0]) == 200
        wait_until(lambda: not (two.state / "control.sock").exists(), 15, "its control socket to go")
        two.cli("member", "add", "third", "--netid", "000015")
    finally:
        one.stop()


def test_a_reload_loses_no_request(fed):
    fed.member("acme", "000013", "127.0.0.1:8005")
    cert = fed.cert("doh", member="acme")
    fed.start_broker()
    stop, statuses = threading.Event(), []

    def load():
        kept = Kept(fed, cert)
        while not stop.is_set():
            try:
                status = kept.ask()
            except (OSError, StopIteration):
                status = 0
            if status == 0:                 # a drained connection: the client opens another, as HTTP clients do
                kept = Kept(fed, cert)
                status = kept.ask()
            statuses.append(status)

    thread = threading.Thread(target=load)
    thread.start()
    for i in range(5):
        wanted = len(statuses) + 20
        wait_until(lambda: len(statuses) >= wanted, 20, "load")
        fed.broker.signal(signal.SIGHUP)
        wait_until(lambda: fed.broker.text().count("broker.reloaded") > i, 10, "the reload")
    stop.set()
    thread.join()
    assert set(statuses) == {200}


def test_two_federations_on_one_listener_stay_apart(tmp_path):
    one, two = Federation(tmp_path, "one.test"), Federation(tmp_path, "two.test")
    two.port = one.port
    try:
        certs = []
        for fed in (one, two):
            fed.init()
            fed.member("acme", "000013", "127.0.0.1:8005")
            certs.append(fed.cert("doh", member="acme", folder=tmp_path / f"certs-{fed.name}"))
        one.start_broker(federations=[one, two])
        assert one.query("one.test", "SOA", certs[0]).rcode() == dns.rcode.NOERROR
        assert two.query("two.test", "SOA", certs[1]).rcode() == dns.rcode.NOERROR
        assert one.query_raw("one.test", "SOA", certs[1])[0] == 0
        assert two.query_raw("two.test", "SOA", certs[0])[0] == 0
        assert one.query("two.test", "SOA", certs[0]).rcode() == dns.rcode.REFUSED
        # one certificate's connection may not name the other federation
        assert one.curl("-H", "host: broker.two.test", cert=certs[0], path="/dns-query?dns=AAAA")[0] == 421
    finally:
        one.stop()


# --- starting it ---

def check(config, code):
    done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(config), "--check"], env=ENV,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize("label,change,words", [
    ("unknown key", lambda t: t + "worker: 3\n", ["worker", "workers", ":8:1:"]),
    ("bad port", lambda t: t.replace("serve: https", "serve: https, port: 99999"), ["port"]),
    ("bad word", lambda t: t.replace("serve: https", "serve: gopher"), ["gopher", "https"]),
    ("not yaml", lambda t: "federations: [\n", [":"]),
    ("empty", lambda t: "", ["federations"]),
    ("bad number", lambda t: t.replace("workers: 2", "workers: many"), ["workers", "many"]),
    ("a federation twice", lambda t: t.replace("federations:", "federations:\n  - {name: fed.test, state: /x}"), ["fed.test"]),
])
def test_a_bad_configuration_is_named_with_its_place(fed, label, change, words):
    config = fed.write_config()
    check(config, 0)
    config.write_text(change(config.read_text()))
    said = check(config, 78)
    assert "broker.yaml" in said
    for word in words:
        assert word in said, said


def test_a_key_that_others_can_read_is_refused(fed):
    config = fed.write_config()
    os.chmod(fed.state / "server.key", 0o644)
    assert "server.key" in check(config, 78)


def test_a_missing_state_directory_is_named(fed):
    config = fed.write_config()
    shutil.move(fed.state, fed.folder / "elsewhere")
    assert str(fed.state) in check(config, 78)


def test_a_port_in_use_is_an_error(fed):
    fed.write_config()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", fed.port))
        taken.listen()
        done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(fed.config)], env=ENV,
                              capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 10
    assert str(fed.port) in done.stderr


def test_the_control_socket_is_for_the_owner(fed):
    fed.start_broker()
    assert oct((fed.state / "control.sock").stat().st_mode & 0o777) == "0o600"
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "--unix-socket", str(fed.state / "control.sock"),
                           "-d", '{"args":{"id":"Bad Id"}}', "http://localhost/admin/v1/member.add"],
                          capture_output=True, text=True, check=True)
    body, status = done.stdout.rsplit("\n", 1)
    assert status == "400" and "Bad Id" in body, done.stdout


def test_a_second_broker_on_the_same_state_is_refused(fed):
    fed.start_broker()
    other = fed.folder / "other.yaml"
    other.write_text(fed.config.read_text().replace(str(fed.port), str(free_port()))
                     .replace(str(fed.admin_port), str(free_port())))
    done = subprocess.run([str(BIN / "fedroam-broker"), "--config", str(other)], env=ENV,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 9 and "control.sock" in done.stderr, done.stderr
    fed.member("acme", "000013")                                    # the first one is not disturbed
    assert "op=member.add actor=local:" in fed.broker.text()


def test_systemd_is_told(fed):
    fed.write_config()
    path = fed.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        notify.settimeout(20)
        broker = Daemon("fedroam-broker", ["--config", fed.config], fed.folder / "broker.log",
                        env=dict(ENV, NOTIFY_SOCKET=str(path)))
        assert notify.recv(100) == b"READY=1"
        broker.signal(signal.SIGHUP)
        assert notify.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert notify.recv(100) == b"READY=1"
        broker.signal(signal.SIGTERM)
        assert notify.recv(100) == b"STOPPING=1"
        assert broker.stop() == 0


def test_a_bulk_import_over_an_occupied_name_is_refused_by_row(fed):
    fed.member("acme", "000013")
    fed.member("umbra", "000014")
    fed.devices("000013", ["70b3d57ed0000001"])
    fed.start_broker()
    done = fed.cli("zone", "import", "--netid", "000014", "-", "--yes", code=None,
                   stdin="70b3d57ed0000002\n70b3d57ed0000001\n")
    assert done.returncode != 0 and "2" in done.stderr and "acme" in done.stderr, done.stderr
    assert fed.json("zone", "stats")["devices"] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_is_refused_in_process_and_at_the_socket(fed):
    for parent in [fed.state, *fed.state.parents]:
        if parent.stat().st_mode & 0o005 != 0o005 and parent != fed.state:
            os.chmod(parent, parent.stat().st_mode | 0o005)
    def as_nobody(*args):
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *args], env=ENV,
                              capture_output=True, text=True, check=False)
    done = as_nobody(str(BIN / "fedroam"), "--state", str(fed.state), "member", "add", "acme")
    assert done.returncode == 77 and str(fed.state) in done.stderr, done.stderr
    fed.start_broker()
    done = as_nobody(str(BIN / "fedroam"), "--state", str(fed.state), "member", "add", "acme")
    assert done.returncode == 77, done.stderr
