"""Debian's BIND and Knot as a member's own name servers, on loopback, with the configuration that docs/publishing-devices.md shows."""
import re
import subprocess

from fed import SOURCE, Daemon, free_port, tool, wait_until

ZONE = "deveui.acme.test"
EUIS = [f"70b3d57ed00000{i:02x}" for i in range(1, 41)]
PAGE = SOURCE / "docs" / "publishing-devices.md"


def cname(eui, netid="000013"):
    return f"{eui}.deveui CNAME {netid}.netid.fed.test."


def address(eui):
    return f"{eui} A 192.0.2.10"


def snippet(title):
    """The code block of the page whose first line is a comment that says `title`."""
    for block in re.findall(r"```\w*\n(.*?)```", PAGE.read_text(), re.S):
        if title in block.splitlines()[0]:
            return block
    raise AssertionError(f"{PAGE.name} has no block {title!r}")


def tsig_key(folder, name="acme.key"):
    """A key file as tsig-keygen makes it."""
    text = subprocess.run([tool("tsig-keygen"), "-a", "hmac-sha256", name], capture_output=True, text=True, check=True).stdout
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def secret_of(path):
    return re.search(r'secret "([^"]+)"', path.read_text()).group(1)


def zone_text(records, serial=1):
    return (f"$TTL 300\n@ IN SOA ns1 hostmaster {serial} 3600 60 604800 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n"
            + "".join(f"{r}\n" for r in records))


class NameServer(Daemon):
    """What both have in common."""

    def __init__(self, name, command, folder):
        self.name, self.log = name, folder / f"{name}.log"
        self.out = open(self.log, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out)

    def update(self, *lines, program="nsupdate"):
        """Dynamic updates of the zone, signed with the member's key."""
        text = "\n".join([f"server 127.0.0.1 {self.port}", f"zone {self.zone}.", *lines, "send", ""])
        done = subprocess.run([tool(program), "-k", str(self.key)] if program == "nsupdate" else
                              [tool(program), "-y", f"hmac-sha256:{self.key.name}:{secret_of(self.key)}"],
                              input=text, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class Bind(NameServer):
    def __init__(self, folder, zone, records, key, notify=None, tls=None):
        folder.mkdir()
        self.zone, self.key, self.folder = zone, key, folder
        self.port, self.tls_port = free_port(), free_port()
        (folder / "zone.db").write_text(zone_text(records))
        text = snippet("named.conf of acme, with TLS" if tls else "named.conf of acme")
        text = text.replace("deveui.acme.example", zone).replace("/var/lib/bind/", f"{folder}/").replace("/etc/bind/acme.key", str(key))
        text = text.replace("also-notify { 198.51.100.1 key", f"also-notify {{ 127.0.0.1 port {notify or 9} key")
        text = text.replace("type primary;", "type primary; allow-update { key acme.key; };").replace("yes;     // IXFR", "no; // IXFR")
        options = ""
        if tls:
            text = f'include "{key}";\n' + text.replace("port 853", f"port {self.tls_port}")
            for path, file in (("/etc/bind/tls/fullchain.pem", tls["chain"]), ("/etc/bind/tls/privkey.pem", tls["key"]),
                               ("/etc/bind/fed.example-root.pem", tls["ca"])):
                assert path in text
                text = text.replace(path, str(file))
            options = re.search(r"options \{\n(.*?)\n\};", text, re.S).group(1).replace("{ any; }", "{ 127.0.0.1; }")
            text = re.sub(r"options \{\n.*?\n\};", "", text, flags=re.S)
        (folder / "named.conf").write_text(f"""
            options {{
                directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
                listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
                recursion no; dnssec-validation no; notify-rate 1000; startup-notify-rate 1000; notify-delay 0; max-ixfr-ratio unlimited;
                {options}
            }};
            controls {{ }};
            {text}
        """)
        self._run()

    def _run(self):
        super().__init__("named", [tool("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")], self.folder)
        self.wait_for("all zones loaded", 300)
        assert f"zone {self.zone}/IN: loaded" in self.text(), self.text()

    def stop_and_serve(self, records, serial):
        """The same server with another zone file."""
        self.kill()
        (self.folder / "named.log").unlink()
        for journal in self.folder.glob("*.jnl"):
            journal.unlink()
        (self.folder / "zone.db").write_text(zone_text(records, serial))
        self._run()


class Knot(NameServer):
    def __init__(self, folder, zone, records, key, notify=None):
        folder.mkdir()
        self.zone, self.key, self.folder = zone, key, folder
        self.port = free_port()
        (folder / f"{zone}.zone").write_text(zone_text(records))
        text = snippet("knot.conf of acme")
        text = text.replace("deveui.acme.example", zone).replace("SECRET", secret_of(key)).replace("/var/lib/knot", str(folder))
        text = re.sub(r"address: 198\.51\.100\.1@53", f"address: 127.0.0.1@{notify or 9}", text).replace("198.51.100.1", "127.0.0.1")
        text = text.replace("192.0.2.53@53", f"127.0.0.1@{self.port}")
        text = text.replace("action: transfer", "action: [transfer, update]")
        (folder / "knot.conf").write_text(f"server:\n    rundir: {folder}\n    udp-workers: 1\n    tcp-workers: 1\n"
                                          f"    background-workers: 1\ndatabase:\n    storage: {folder}\n{text}")
        super().__init__("knotd", [tool("knotd"), "-c", str(folder / "knot.conf")], folder)
        wait_until(lambda: "server started" in self.text() and "loaded, serial" in self.text(), 20, f"knotd:\n{self.text()}")
