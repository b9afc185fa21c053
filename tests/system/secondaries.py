"""Debian's BIND and Knot as secondaries of the federation's zone, with the configuration that docs/secondaries.md shows."""
import re
import subprocess

import dns.message
import dns.query
import dns.rrset
import dns.tsigkeyring

from fed import SOURCE, Federation, free_port, tool, wait_until
from nameservers import NameServer, secret_of, tsig_key

PAGE = SOURCE / "docs" / "secondaries.md"
EUIS = [f"{0x70b3d57ed0000000 + 7 * i:016x}" for i in range(1, 41)]


def snippet(title):
    """The code block of the page whose first line is a comment that says `title`."""
    for block in re.findall(r"```\w*\n(.*?)```", PAGE.read_text(), re.S):
        if block.splitlines()[0].endswith(title):
            return block
    raise AssertionError(f"{PAGE.name} has no block {title!r}")


class Broker(Federation):
    """A federation whose broker gives its zone away; members acme (000013, 00002a) and bolt (00002b)."""

    def __init__(self, folder):
        super().__init__(folder, workers=1)
        self.xfr, self.xot = free_port(), free_port()
        self.init()
        self.cli("member", "add", "acme", "--netid", "000013", "--netid", "00002a", "--endpoint", "192.0.2.10:8005")
        self.cli("member", "add", "bolt", "--netid", "00002b", "--endpoint", "[2001:db8::20]:8005")
        self.key = tsig_key(self.folder, "ns2.key")
        self.servers = []
        self.write_config(listen=[f"  - {{address: 127.0.0.1, port: {self.port}, serve: https}}",
                                  f"  - {{address: 127.0.0.1, port: {self.xfr}, serve: xfr}}",
                                  f"  - {{address: 127.0.0.1, port: {self.xot}, serve: xot}}"])

    def add_secondary(self, server, *proof):
        self.cli("zone", "secondary", "add", server.name, *(proof or ("--tsig-key", self.key)), "--address", f"127.0.0.1:{server.port}")
        self.servers.append(server)

    def wait_for_log(self, *words):
        wait_until(lambda: any(all(w in line for w in words) for line in self.broker.text().splitlines()), 60,
                   f"{words} in\n{self.broker.text()[-3000:]}")

    def count(self, result):
        return self.metrics().get(f'fedroam_secondary_transfers_total{{federation="fed.test",result="{result}"}}', 0)

    def exported(self):
        """The zone as the broker exports it."""
        done = subprocess.run([tool("named-checkzone"), "-q", "-D", "-i", "none", "-k", "ignore", "-o", "-", "fed.test", "/dev/stdin"],
                              input=self.cli("zone", "export").stdout, capture_output=True, text=True, timeout=120, check=True)
        return records(done.stdout)

    def agrees(self, server):
        """Serial and every record: the broker's export and what the secondary gives by AXFR."""
        if server.serial() != self.json("store", "info")["sequence"]:
            return False
        return self.exported() == server.records()

    def wait_agree(self, *servers, seconds=60):
        for server in servers:
            try:
                wait_until(lambda server=server: self.agrees(server), seconds)
            except AssertionError:
                ours, theirs = self.exported(), server.records() or set()
                raise AssertionError(f"{server.name}: only here {sorted(ours - theirs)[:20]}, only there {sorted(theirs - ours)[:20]}\n"
                                     f"{self.broker.text()[-3000:]}\n{server.text()[-3000:]}") from None

    def ask(self, rdtype, key=None, tcp=True, serial=None, zone="fed.test", port=None):
        """One signed question; the first answer."""
        query = dns.message.make_query(zone, rdtype)
        if serial is not None:
            query.authority = [dns.rrset.from_text(zone + ".", 0, "IN", "SOA", f". . {serial} 0 0 0 0")]
        if key:
            query.use_tsig(dns.tsigkeyring.from_text(key), algorithm="hmac-sha256")
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, "127.0.0.1", port=port or self.xfr, timeout=10)

    def stop(self):
        for server in self.servers:
            if server.is_running():
                server.kill()
        super().stop()


def records(text):
    """The lines of a zone as a tool prints it, blanks within the data aside."""
    found = set()
    for name, ttl, _, rdtype, *data in (line.lower().split() for line in text.splitlines() if line and line[0] != ";"):
        found.add(f"{name} {ttl} {rdtype} {''.join(data)}")
    return found


class Secondary(NameServer):
    """What both have in common."""

    def serial(self):
        """Of the zone it holds; None: it holds none."""
        try:
            answer = dns.query.udp(dns.message.make_query("fed.test", "SOA"), "127.0.0.1", port=self.port, timeout=5).answer
        except (dns.exception.DNSException, OSError):
            return None
        return answer[0][0].serial if answer else None

    def records(self):
        """All it holds, by AXFR of its own; None: nothing yet."""
        done = subprocess.run([tool("dig"), "@127.0.0.1", "-p", str(self.port), "+noall", "+answer", "+onesoa", "+tcp", "fed.test", "AXFR"],
                              capture_output=True, text=True, timeout=120, check=False)
        return records(done.stdout) or None


class Bind(Secondary):
    def __init__(self, folder, broker, cert=None, name="bind"):
        folder.mkdir()
        self.port, self.folder = free_port(), folder
        text = snippet("named.conf of ns3, with TLS" if cert else "named.conf of ns2")
        text = text.replace("198.51.100.1 port 853", f"127.0.0.1 port {broker.xot}").replace("198.51.100.1 port 53", f"127.0.0.1 port {broker.xfr}")
        text = text.replace("/etc/bind/ns2.key", str(broker.key)).replace("/var/lib/bind", str(folder))
        if cert:
            for path, file in (("doh-acme.key", cert.key), ("doh-acme.chain.pem", cert.chain), ("root.pem", cert.root)):
                text = text.replace(f"/etc/bind/fed/{path}", str(file))
        text = text.replace("fed.example", "fed.test")
        (folder / "named.conf").write_text(f"""
            options {{
                directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
                listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-transfer {{ 127.0.0.1; }};
                recursion no; dnssec-validation no; notify no; serial-query-rate 1000; min-refresh-time 1; min-retry-time 1; max-retry-time 2;
                max-ixfr-ratio unlimited;
            }};
            controls {{ }};
            {text}
        """)
        self.run(name)

    def run(self, name="bind"):
        super().__init__(name, [tool("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")], self.folder)
        self.wait_for("running", 300)


class Knot(Secondary):
    def __init__(self, folder, broker, name="knot"):
        folder.mkdir()
        self.port = free_port()
        text = snippet("knot.conf of ns2")
        text = text.replace("198.51.100.1@53", f"127.0.0.1@{broker.xfr}").replace("198.51.100.1", "127.0.0.1")
        text = text.replace("SECRET", secret_of(broker.key)).replace("/var/lib/knot", str(folder)).replace("fed.example", "fed.test")
        text = text.replace("    acl: broker", "    acl: [broker, all]").replace("    action: notify\n", "    action: notify\n"
                            "  - id: all\n    address: 127.0.0.1\n    action: transfer\n")
        (folder / "knot.conf").write_text(f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{self.port}\n    udp-workers: 1\n    tcp-workers: 2\n"
                                          f"    background-workers: 1\ndatabase:\n    storage: {folder}\n"
                                          f"log:\n  - target: stderr\n    any: info\n{text}    retry-min-interval: 1\n    retry-max-interval: 2\n")
        super().__init__(name, [tool("knotd"), "-c", str(folder / "knot.conf")], folder)
        wait_until(lambda: "server started" in self.text(), 20, f"knotd:\n{self.text()}")
