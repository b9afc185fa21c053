"""The cast of the demo: a federation with its broker, the home and the visited network server, a gateway under each."""
import json
import pathlib
import socket
import sys
import urllib.request

from fed import Federation, free_port, wait_until
from gateway_player import Device, Gateway
from npm_device import NpmDevice, available

HOME, HOME_NETID = "acme", "000013"
VISITED, VISITED_NETID = "umbra", "000014"
DEV_EUI, JOIN_EUI = "70b3d57ed0000001", "70b3d57ed0000100"
APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
GATEWAYS = {"home": "0016c001ff100001", "visited": "0016c001ff100002"}


class Shown(Federation):
    """A federation whose administrator's commands are printed as they are run."""

    def run(self, *args, **more):
        words = [str(a).replace(str(self.folder), "$D") for a in args]
        print("  $ fedroam " + " ".join(words))
        return super().run(*args, **more)


class Server:
    """One fedroam-ns: its files, its process, its log."""

    def __init__(self, demo, name, netid, member):
        self.demo, self.name, self.netid, self.member = demo, name, netid, member
        self.folder = demo.folder / name
        self.folder.mkdir()
        (self.folder / "state").mkdir(mode=0o700)
        self.radio_port = free_port(socket.SOCK_DGRAM)
        self.port = free_port()
        self.admin_port = free_port()
        self.config = self.folder / "ns.yaml"
        self.log = self.folder / "ns.log"
        self.process = self.cert = None
        self.devices = self.folder / "devices.yaml"

    def write_devices(self, dev_eui, join_eui, app_key):
        self.devices.touch(mode=0o600)
        self.devices.write_text(f'devices:\n  - {{deveui: "{dev_eui}", joineui: "{join_eui}", app_key: "{app_key}"}}\n')

    def write_config(self, forwarding):
        self.config.write_text(f"""\
netid: "{self.netid}"
roles: {{forwarding: {str(forwarding).lower()}, home: true, join_server: true}}
federations:
  - name: {self.demo.fed.name}
    broker: {self.demo.fed.url}
    addresses: [127.0.0.1]
    ca: {self.cert.root}
    certificate: {self.cert.chain}
    key: {self.cert.key}
gateways: {{address: 127.0.0.1, port: {self.radio_port}}}
backend: {{address: 127.0.0.1, port: {self.port}}}
admin: {{address: 127.0.0.1, port: {self.admin_port}}}
state: {self.folder / "state"}
devices: {self.devices}
log: {{format: json, identifiers: full}}
""")

    def start(self):
        self.process = self.demo.fed.daemon("fedroam-ns", "--config", self.config, log=self.log)
        wait_until(self._is_ready, 20, f"the {self.name} network server")

    def stop(self):
        self.demo.fed.daemons.remove(self.process)
        self.process.stop()

    def _is_ready(self):
        if not self.process.is_running():
            raise AssertionError(f"fedroam-ns ended:\n{self.process.text()}")
        try:
            return self._get("/readyz") is not None
        except OSError:
            return False

    def _get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=5) as answer:
            return answer.read().decode()

    def metrics(self):
        """The OpenMetrics samples as {"name{labels}": value}."""
        samples = (line.rsplit(" ", 1) for line in self._get("/metrics").splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def upstream(self, what, to=None):
        """One of the fedroam_ns_upstream_* counters, to the broker, to peers, or both."""
        samples = self.metrics()
        return int(sum(samples[f'fedroam_ns_upstream_{what}_total{{upstream="{u}"}}'] for u in ([to] if to else ["broker", "peer"])))

    def events(self):
        """The log, as a list of records."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def last(self, event):
        """The newest record of an event; {} when there is none."""
        return next((r for r in reversed(self.events()) if r["event"] == event), {})

    def gateway(self):
        return Gateway(GATEWAYS[self.name], ("127.0.0.1", self.radio_port))


class Demo:
    """Everything that runs, in one temporary folder."""

    def __init__(self, folder, npm, foreign):
        self.folder = pathlib.Path(folder)
        self.fed = Shown(self.folder)
        self.home = Server(self, "home", HOME_NETID, HOME)
        self.visited = Server(self, "visited", VISITED_NETID, VISITED)
        if foreign and not available(npm):
            sys.exit("demo: npm lora-packet is not installed: run ./dev deps")
        if available(npm):
            self.device, self.device_is = NpmDevice(npm, DEV_EUI, JOIN_EUI, APP_KEY), "npm lora-packet"
        else:
            self.device, self.device_is = Device(DEV_EUI, JOIN_EUI, APP_KEY, nonce=0), "Python's cryptography package"

    def set_up(self):
        """Federation, members, certificates, devices; then the broker and the home network server."""
        self.fed.init()
        for server in (self.home, self.visited):
            self.fed.member(server.member, server.netid, f"127.0.0.1:{server.port}")
            server.cert = self.fed.cert("ns", member=server.member, netid=server.netid, folder=server.folder)
        self.fed.devices(HOME_NETID, [DEV_EUI])
        self.operator = self.fed.cert("doh", member=HOME, folder=self.folder / "operator")
        self.fed.start_broker()
        self.home.write_devices(DEV_EUI, JOIN_EUI, APP_KEY)
        self.visited.write_devices("70b3d57ed0000009", JOIN_EUI, "000102030405060708090a0b0c0d0e0f")
        self.home.write_config(forwarding=False)
        self.home.start()

    def start_visited(self, roaming):
        """(Re)starts the visited network server with roaming on or off."""
        if self.visited.process is not None:
            self.visited.stop()
        self.visited.write_config(forwarding=roaming)
        self.visited.start()

    def queries(self):
        """DNS messages the broker has answered so far, whoever asked."""
        return int(sum(v for k, v in self.fed.metrics().items() if k.startswith("fedroam_doh_requests_total")))

    def close(self):
        if isinstance(self.device, NpmDevice):
            self.device.close()
        self.fed.stop()
