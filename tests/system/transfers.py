"""A federation that takes devices from members' name servers."""
import dns.message
import dns.opcode
import dns.query
import dns.rcode

from fed import Federation, free_port, wait_until
from nameservers import ZONE, tsig_key


class Broker(Federation):
    """A federation whose broker hears NOTIFY; members acme (000013, 00002a) and bolt (00002b)."""

    def __init__(self, folder):
        super().__init__(folder, workers=1)
        self.notify = free_port()
        self.init()
        self.cli("member", "add", "acme", "--netid", "000013", "--netid", "00002a", "--endpoint", "192.0.2.10:8005")
        self.cli("member", "add", "bolt", "--netid", "00002b", "--endpoint", "192.0.2.20:8005")
        self.key = tsig_key(self.folder)
        self.servers = []
        self.write_config(listen=[f"  - {{address: 127.0.0.1, port: {self.port}, serve: https}}",
                                  f"  - {{address: 127.0.0.1, port: {self.notify}, serve: notify}}"],
                          more="limits: {transfer_idle: 2s, transfer: 20s, transfer_records: 100000}\n")
        self.start_broker()

    def serve(self, kind, records, **more):
        server = kind(self.folder / f"server{len(self.servers)}", ZONE, records, self.key, **more)
        self.servers.append(server)
        return server

    def primary(self, port, *more, netids=("000013",), key=True, code=0):
        args = ["zone", "primary", "set", ZONE, "--member", "acme", "--address", f"127.0.0.1:{port}", "--refresh-min", "1"]
        for netid in netids:
            args += ["--netid", netid]
        if key:
            args += ["--tsig-key", key if key is not True else self.key]
        return self.cli(*args, *more, code=code)

    def ring(self):
        """NOTIFY, as the server would send it."""
        message = dns.message.make_query(ZONE, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        assert dns.query.udp(message, "127.0.0.1", port=self.notify, timeout=10).rcode() == dns.rcode.NOERROR

    def devices_of(self, netid="000013"):
        return [d["deveui"] for d in self.json("device", "list", "--netid", netid)]

    def shown(self):
        return self.json("zone", "primary", "show", "acme")[0]

    def wait_devices(self, euis, netid="000013"):
        try:
            wait_until(lambda: self.devices_of(netid) == sorted(euis), 30)
        except AssertionError:
            raise AssertionError(f"{len(euis)} devices expected in {netid}, there are {self.devices_of(netid)[:50]}: {self.shown()}\n"
                                 f"{self.broker.text()[-2000:]}") from None

    def wait_state(self, **facts):
        wait_until(lambda: all(self.shown().get(k) == v for k, v in facts.items()), 30, f"{facts} in {self.shown()}")
        return self.shown()

    def wait_fault(self, text):
        wait_until(lambda: text in self.shown().get("fault", ""), 30, f"{text!r} in {self.shown()}\n{self.broker.text()[-2000:]}")

    def stop(self):
        for server in self.servers:
            if server.is_running():
                server.kill()
        super().stop()
