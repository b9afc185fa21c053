"""The public records of a federation, in BIND and Knot, signed, and under a resolver that validates."""
import os
import re
import subprocess

import dns.zone
import pytest

from fed import SOURCE, Federation, free_port, tool, wait_until
from nameservers import NameServer

PAGE = SOURCE / "docs" / "public-zone.md"


def snippet(title):
    """The code block of the page whose first line is a comment that says `title`."""
    for block in re.findall(r"```\w*\n(.*?)```", PAGE.read_text(), re.S):
        if block.splitlines()[0].endswith(title):
            return block
    raise AssertionError(f"{PAGE.name} has no block {title!r}")


class Server(NameServer):
    """Any name server that runs in a folder of its own."""

    def __init__(self, name, command, folder, port, ready):
        self.port = port
        super().__init__(name, command, folder)
        self.wait_for(ready)


def named(folder, config, more=""):
    port = free_port()
    folder.mkdir(exist_ok=True)
    (folder / "named.conf").write_text(f"""
        options {{ directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}"; key-directory "{folder}";
                  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; notify no; {more} }};
        controls {{ }};
        {config}
    """)
    return Server("named", [tool("named"), "-g", "-n", "1", "-c", str(folder / "named.conf")], folder, port, "running")


def run(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def public(tmp_path):
    federation = Federation(tmp_path, workers=1)
    federation.init()
    federation.member("acme", "000013", "192.0.2.10:8005")
    federation.devices("000013", ["70b3d57ed0000001"])
    federation.servers = []
    yield federation
    for server in federation.servers:
        server.kill()
    federation.stop()


def write_zone(public, folder, *more):
    folder.mkdir(exist_ok=True)
    text = public.cli("zone", "public", "--zone", "--address", "127.0.0.1", "--address", "2001:db8::1", "--ns", "ns1.example.net", *more).stdout
    (folder / "fed.test.zone").write_text(text)
    return text


def delv(server, dnskey, name, rdtype):
    anchor = server.log.parent / "anchor"
    flags, protocol, algorithm, *key = dnskey.split()
    anchor.write_text(f'trust-anchors {{ fed.test. static-key {flags} {protocol} {algorithm} "{"".join(key)}"; }};\n')
    return run(tool("delv"), "@127.0.0.1", "-p", server.port, "-a", anchor, "+root=fed.test", name, rdtype)[1]


def dnskey_of(server):
    def found():
        out = run(tool("dig"), "@127.0.0.1", "-p", server.port, "+short", "fed.test", "DNSKEY")[1]
        keys = [line for line in out.splitlines() if line.startswith("257 ")]
        return keys[0] if keys else None
    return wait_until(found, 30, f"a DNSKEY:\n{server.text()}")


def pins(text):
    return {tuple(m) for m in re.findall(r"TLSA (\d) 1 1 ([0-9a-f]{64})", text)}


def pin_of(pem):
    done = subprocess.run("openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum", shell=True, input=pem,
                          capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def shown(public):
    """Pins that match the chain the broker shows."""
    chain = re.findall(r"-----BEGIN CERT.*?-----END CERTIFICATE-----", (public.state / "server.chain.pem").read_text(), re.S)
    return {("3", pin_of(chain[0]))} | {("2", pin_of(c)) for c in chain[1:]}


def test_records_zone_and_usage(public, tmp_path):
    records = public.cli("zone", "public", "--records", "--address", "192.0.2.1").stdout
    assert "broker.fed.test. 3600 IN A 192.0.2.1" in records and "SOA" not in records
    text = write_zone(public, tmp_path / "zone")
    code, out = run(tool("named-checkzone"), "fed.test", tmp_path / "zone" / "fed.test.zone")
    assert code == 0, out
    zone = dns.zone.from_text(text, origin="fed.test.", relativize=False)
    svcb = zone.find_rdataset("_dns.broker.fed.test.", "SVCB")[0].to_text()
    assert f'port="{public.port}"' in svcb and "/dns-query{?dns}" in svcb and "h2" in svcb
    for name in ("deveui", "netid", "joineui"):
        assert zone.find_rdataset(f"{name}.fed.test.", "NS")
    for args in (["--records"], ["--address", "192.0.2.1"], ["--zone", "--address", "192.0.2.1"],
                 ["--records", "--zone", "--address", "192.0.2.1"], ["--records", "--address", "nowhere"]):
        public.cli("zone", "public", *args, code=64)


def test_a_pin_matches_before_and_after_every_renewal(public, tmp_path):
    before = pins(write_zone(public, tmp_path / "zone"))
    assert shown(public) <= before and len(before) == 2
    public.cli("ca", "server", "renew")
    assert shown(public) <= before, "the key stays"
    public.cli("ca", "server", "renew", "--new-key")
    assert shown(public) & before, "the issuing CA's pin holds until the new one is published"
    after = pins(write_zone(public, tmp_path / "zone"))
    assert shown(public) <= after and before & after


MONTHS = 12 if os.environ.get("FR_LONG") else 3
TTL = 3600  # of the pins: so long a resolver may go on with what it has


def test_some_pin_matches_at_every_instant_of_a_roll_over(public, tmp_path):
    """A quarter of a year (a whole one in the long run) by a clock of its own: keys and issuing CAs change, the zone is published when the page
    says so. Whatever of it a resolver may still hold at a moment has a pin that matches the chain the broker shows then."""
    published = []  # (from, until, pins); the last one has no end

    def publish(now):
        if published:
            published[-1][1] = now
        published.append([now, None, pins(write_zone(public, tmp_path / "zone"))])

    def state(word):
        return [row["name"] for row in public.json("ca", "list") if row["state"] == word]

    def check(now):
        held = [have for _, until, have in published if until is None or now < until + TTL]
        assert held and all(shown(public) & have for have in held), (now, shown(public), held)

    steps = [("publish", 0)]
    for month in range(MONTHS):
        at = month * 30 * 86400 + 86400
        if month % 3 == 1:
            steps += [("new key", at), ("publish", at + 1), ("renew", at + 2)]
        elif month % 3 == 2:
            steps += [("prepare", at), ("publish", at + 1), ("activate", at + 1 + TTL), ("renew", at + 2 + TTL), ("publish", at + 3 + TTL)]
        else:
            steps += [("renew", at)]
    for step, now in steps:
        if published:
            check(now)
        if step == "publish":
            publish(now)
        elif step == "prepare":
            public.cli("ca", "intermediate", "prepare")
        elif step == "activate":
            public.cli("ca", "intermediate", "activate", state("ready")[0])
        else:
            public.cli("ca", "server", "renew", *(["--new-key"] if step == "new key" else []))
        check(now)
    assert len(state("tainted")) == MONTHS // 3 and len({frozenset(have) for *_, have in published}) >= 2 * MONTHS // 3
    # who forgets to publish is caught by this: a CA that nobody knows yet
    public.cli("ca", "intermediate", "prepare")
    public.cli("ca", "intermediate", "activate", state("ready")[0])
    public.cli("ca", "server", "renew", "--new-key")
    with pytest.raises(AssertionError):
        check(now + 1)


def test_signed_by_bind_and_knot(public, tmp_path):
    for kind in ("bind", "knot"):
        folder = tmp_path / kind
        write_zone(public, folder)
        text = snippet("BIND signs" if kind == "bind" else "Knot signs").replace("/var/lib/bind", str(folder))
        text = text.replace("/var/lib/knot", str(folder)).replace("fed.example", "fed.test")
        if kind == "bind":
            server = named(folder, text)
        else:
            port = free_port()
            (folder / "knot.conf").write_text(f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{port}\n    udp-workers: 1\n    tcp-workers: 1\n"
                                              f"    background-workers: 1\ndatabase:\n    storage: {folder}\n{text}")
            server = Server("knotd", [tool("knotd"), "-c", str(folder / "knot.conf")], folder, port, "server started")
        public.servers.append(server)
        key = dnskey_of(server)
        for name, rdtype in (("broker.fed.test", "A"), ("_dns.broker.fed.test", "TYPE64"), (f"_{public.port}._tcp.broker.fed.test", "TLSA")):
            wait_until(lambda: "; fully validated" in delv(server, key, name, rdtype), 30, f"{name} {rdtype} of {kind}: {delv(server, key, name, rdtype)}")


def test_under_a_resolver_that_validates(public, tmp_path):
    """unbound has a copy of the private zone beside the signed public one: with the delegations its names are found, without they are not."""
    private = tmp_path / "private"
    private.mkdir()
    (private / "fed.test.zone").write_text(public.cli("zone", "export").stdout)
    secondary = named(private, f'zone "fed.test" {{ type primary; file "{private}/fed.test.zone"; }};')
    public.servers.append(secondary)
    found = {}
    for kind in ("with", "without"):
        folder = tmp_path / kind
        text = write_zone(public, folder)
        if kind == "without":
            (folder / "fed.test.zone").write_text("".join(l + "\n" for l in text.splitlines() if " NS localhost." not in l))
        server = named(folder, f'zone "fed.test" {{ type primary; file "{folder}/fed.test.zone"; dnssec-policy default; inline-signing yes; }};')
        public.servers.append(server)
        key = dnskey_of(server)
        port = free_port()
        stubs = "".join(f"stub-zone:\n  name: {name}\n  stub-addr: 127.0.0.1@{at}\n"
                        for name, at in (("fed.test", server.port), ("deveui.fed.test", secondary.port), ("netid.fed.test", secondary.port)))
        (folder / "unbound.conf").write_text(f"""
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1@{port}
  do-not-query-localhost: no
  local-zone: "test." nodefault
  domain-insecure: "never.invalid"
  harden-referral-path: no
  aggressive-nsec: yes
  trust-anchor: "fed.test. DNSKEY {key}"
remote-control:
  control-enable: no
{stubs}""")
        resolver = Server("unbound", [tool("unbound"), "-d", "-c", str(folder / "unbound.conf")], folder, port, "start of service")
        public.servers.append(resolver)
        wait_until(lambda: " ad" in run(tool("dig"), "@127.0.0.1", "-p", port, "+adflag", "broker.fed.test", "A")[1], 30, resolver.text())
        found[kind] = run(tool("dig"), "@127.0.0.1", "-p", port, "+adflag", "70b3d57ed0000001.deveui.fed.test", "CNAME")[1]
    assert "status: NOERROR" in found["with"] and "000013.netid.fed.test." in found["with"], found["with"]
    assert "000013.netid.fed.test." not in found["without"], found["without"]
