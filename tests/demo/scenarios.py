"""What the demo plays: Afnic's three scenarios of DevEUI roaming, and what has to be refused."""
import contextlib
import subprocess

from fed import BIN, ENV
from gateway_player import aes_encrypt, join
from network import DEV_EUI, HOME_NETID

SILENCE_S = 7.5  # both join windows are over


class Scenario:
    """One story: what was expected, what happened."""

    def __init__(self, name):
        self.name = name
        self.facts = []
        self.join_ms = None
        self.doh_exchanges = None

    def expect(self, text, holds):
        self.facts.append((text, bool(holds)))
        print(f"    {'ok ' if holds else 'NOT'} {text}")
        return holds

    @property
    def passed(self):
        return all(holds for _, holds in self.facts)


@contextlib.contextmanager
def scenario(results, name):
    print(f"\n{name}")
    s = Scenario(name)
    results.append(s)
    yield s


def play_join(demo, server, timeout=SILENCE_S):
    """The device joins through a server's gateway: its session, or None."""
    with server.gateway() as gateway:
        return join(gateway, demo.device, timeout=timeout)


def check_join(s, demo, session):
    s.expect(f"the device got a Join-accept in RX1 whose MIC {demo.device_is} finds right",
             session is not None and session.window == "RX1")
    if session is None:
        return
    s.join_ms = session.ms
    s.expect(f"the session is its home network's: NetID {session.net_id}, DevAddr {session.dev_addr}",
             session.net_id == HOME_NETID)
    made = demo.home.last("join.session")
    device = {name.lower(): key_check_value(key) for name, key in session.keys.items()}
    s.expect("the session keys are equal on both sides: " + ", ".join(f"{k} {v}" for k, v in device.items()),
             device == {k: made.get(k) for k in device})


def key_check_value(key):
    """What can be told of a key without telling it: the first three octets of a zero block encrypted with it."""
    return aes_encrypt(bytes.fromhex(key), bytes(16))[:3].hex()


def roaming_scenarios(demo, results, meter):
    """Returns what the first and the later roaming join cost the visited network server on the wire."""
    with scenario(results, "1. Under its home network") as s:
        before = demo.queries()
        check_join(s, demo, play_join(demo, demo.home))
        s.doh_exchanges = demo.queries() - before
        s.expect("the broker saw no query", s.doh_exchanges == 0)

    with scenario(results, "2. Under a visited network, roaming disabled") as s:
        demo.start_visited(roaming=False)
        before = demo.queries()
        s.expect("the device was not answered, in either window", play_join(demo, demo.visited) is None)
        s.doh_exchanges = demo.queries() - before
        s.expect("nobody was asked: no query at the broker, no connection to the home network",
                 s.doh_exchanges == 0 and demo.visited.upstream("connects") == 0)

    costs = []
    demo.start_visited(roaming=True)
    for name, exchanges in (("3. Under a visited network, roaming enabled", 1), ("3b. The same again within the TTL", 0)):
        with scenario(results, name) as s:
            before = demo.visited.upstream("requests", "broker")
            meter.start()
            check_join(s, demo, play_join(demo, demo.visited))
            costs.append(meter.stop())
            s.doh_exchanges = demo.visited.upstream("requests", "broker") - before
            s.expect(f"it took exactly {exchanges} DoH exchange" if exchanges else "it took no DoH exchange",
                     s.doh_exchanges == exchanges)
    return costs


def resolver_config(demo, cert, name):
    """A resolver.yaml that asks the demo's broker with that certificate."""
    config = demo.folder / f"{name}.yaml"
    config.write_text(f"""\
federations:
  - name: {demo.fed.name}
    broker: {demo.fed.url}
    addresses: [127.0.0.1]
    ca: {demo.fed.root}
    certificate: {cert.chain}
    key: {cert.key}
""")
    return config


def resolve(demo, eui, cert, name):
    """fedroam resolve with that certificate; exit code and what it said."""
    done = subprocess.run([str(BIN / "fedroam"), "resolve", "--config", str(resolver_config(demo, cert, name)), eui],
                          env=ENV, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr


def refusals(demo, other, results):
    """`other` is a federation with a CA of its own."""
    with scenario(results, "4. What is refused") as s:
        status, _, _ = demo.fed.query_raw(f"{DEV_EUI}.deveui.{demo.fed.name}", "A", None)
        s.expect("no certificate: the broker closes the connection, no HTTP answer", status == 0)
        foreign = other.cert("doh", member="stranger")
        status, _, _ = demo.fed.query_raw(f"{DEV_EUI}.deveui.{demo.fed.name}", "A", foreign)
        s.expect("a certificate of another CA: refused in the handshake", status == 0)
        code, said = resolve(demo, "70b3d57edeadbeef", demo.operator, "operator")
        s.expect(f"an unknown DevEUI: fedroam resolve ends with code {code} (not found)", code == 7)
        code, said = resolve(demo, DEV_EUI, demo.operator, "operator")
        s.expect("a member's certificate: found", code == 0)
        demo.fed.cli("cert", "revoke", demo.operator.serial, "--reason", "the demo is over", "--yes")
        code, said = resolve(demo, DEV_EUI, demo.operator, "operator")
        s.expect(f"the same certificate once revoked: refused (code {code}): {last_line(said)}", code in (4, 5, 8))
        demo.fed.cli("member", "suspend", demo.visited.member, "--reason", "the demo is over", "--yes")
        code, said = resolve(demo, DEV_EUI, demo.visited.cert, "visited")
        s.expect(f"a suspended member: refused (code {code}): {last_line(said)}", code in (4, 5, 8))


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
