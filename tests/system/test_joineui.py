"""JoinEUIs and blocks of them: who may say where they lead, and the same records from the broker (kdig), BIND and Knot."""
import re
import subprocess

import pytest

from fed import tool, wait_until
from secondaries import Bind, Broker, Knot

ROOT = "joineui.fed.test"
BLOCK = "0.d.e.7.5.d.3.b.0.7." + ROOT
JOINEUI = "1.0.0.0.0.0." + BLOCK          # has servers of its own
OTHER = "9.0.0.0.0.9." + BLOCK            # the block's
NEAR = "9.0.0.0.0.0." + BLOCK             # the block's too, beside names that exist
HTTP = "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0." + ROOT
NAMES = [JOINEUI, OTHER, NEAR, HTTP, BLOCK, "x." + BLOCK, "x." + JOINEUI, "*." + BLOCK, "_tcp." + BLOCK, "_lwns._tcp." + BLOCK, "_lwn._tcp." + BLOCK,
         "e1." + BLOCK, "e2." + BLOCK, "e3." + BLOCK, "_lwns._tcp." + JOINEUI, "e1." + JOINEUI, "_lwn._tcp." + HTTP, "7." + ROOT, "8." + ROOT, ROOT]
SERVERS = ["https://192.0.2.30:8443,also=2001:db8::30", "https://js.acme.example,priority=1,weight=5", "http://192.0.2.31:8080"]


@pytest.fixture
def broker(tmp_path):
    federation = Broker(tmp_path)
    yield federation
    federation.stop()


def add(broker, joineui, member, *servers, **more):
    return broker.cli("joineui", "add", joineui, "--member", member, *(x for s in servers for x in ("--server", s)), **more)


def read(text):
    """(status, answers) of what kdig or dig prints."""
    status = re.search(r"status: ([A-Z]+)", text).group(1)
    lines = [" ".join(line.lower().replace("\\042", "*").split()) for line in text.splitlines() if line and line[0] != ";"]
    return status, sorted(line for line in lines if " soa " not in line)


def test_the_broker_bind_and_knot_say_the_same(broker):
    add(broker, "70b3d57ed0000000/40", "acme", *SERVERS)
    add(broker, "70b3d57ed0000001", "acme", "https://[2001:db8::40]:8444")
    add(broker, "70b3d57ed0000002", "acme")
    add(broker, "00005e100000002f", "bolt", "http://192.0.2.50")
    cert = broker.cert("doh", member="acme")
    broker.start_broker()
    bind, knot = Bind(broker.folder / "bind", broker), Knot(broker.folder / "knot", broker)
    broker.cli("zone", "secondary", "add", "both", "--tsig-key", broker.key, "--address", f"127.0.0.1:{bind.port}", "--address", f"127.0.0.1:{knot.port}")
    broker.servers += [bind, knot]

    def compare():
        broker.wait_agree(bind, knot)
        seen = {}
        for name in NAMES:
            for rdtype in ("NAPTR", "SRV", "A", "AAAA"):
                said = [read(broker.kdig(name, rdtype, cert, "+noauthority", "+noadditional"))]
                for server in (bind, knot):
                    done = subprocess.run([tool("kdig"), "@127.0.0.1", "-p", str(server.port), "+tcp", "+noauthority", "+noadditional", name, rdtype],
                                          capture_output=True, text=True, timeout=60, check=True)
                    said.append(read(done.stdout))
                assert said[0] == said[1] == said[2], (name, rdtype, said)
                seen[name, rdtype] = said[0]
        return seen

    seen = compare()
    assert seen[OTHER, "NAPTR"] == seen[NEAR, "NAPTR"][:1] + ([line.replace(NEAR, OTHER) for line in seen[NEAR, "NAPTR"][1]],)
    assert [line.split(" ", 4)[4] for line in seen[OTHER, "NAPTR"][1]] == [f'100 50 "s" "lwns" "" _lwns._tcp.{BLOCK}.', f'100 60 "s" "lwn" "" _lwn._tcp.{BLOCK}.']
    assert seen["_lwns._tcp." + BLOCK, "SRV"][1] == [f"_lwns._tcp.{BLOCK}. 60 in srv 1 0 8443 e1.{BLOCK}.", f"_lwns._tcp.{BLOCK}. 60 in srv 1 5 443 js.acme.example."]
    assert seen[JOINEUI, "AAAA"][1] == [f"{JOINEUI}. 60 in aaaa 2001:db8::40"] and seen[JOINEUI, "A"] == ("NOERROR", [])
    assert seen["8." + ROOT, "A"] == ("NXDOMAIN", []) and seen["7." + ROOT, "A"] == ("NOERROR", [])
    assert seen["x." + JOINEUI, "A"] == ("NXDOMAIN", []) and seen["x." + BLOCK, "A"][0] == "NOERROR"
    # changes and a suspension reach all three
    broker.cli("joineui", "remove", "70b3d57ed0000001")
    broker.cli("member", "suspend", "bolt", "--yes")
    seen = compare()
    assert seen[JOINEUI, "A"][1] == [f"{JOINEUI}. 60 in a 192.0.2.30"] and seen[HTTP, "NAPTR"] == ("NXDOMAIN", [])
    broker.cli("member", "remove", "acme", "--yes")
    wait_until(lambda: broker.json("joineui", "list") == [{"joineui": "00005e100000002f", "member": "bolt", "servers": ["http://192.0.2.50"]}], 30)
    broker.wait_agree(bind, knot)


def test_a_member_says_where_its_own_lead(broker):
    cert = broker.cert("doh", member="acme")
    broker.cli("cert", "set", cert.serial, "--right", "lookup", "--right", "publish")
    config = broker.folder / "acme.yaml"
    config.write_text(f"federations:\n  - name: {broker.name}\n    broker: {broker.url}\n    addresses: [127.0.0.1]\n"
                      f"    ca: {cert.root}\n    certificate: {cert.chain}\n    key: {cert.key}\n")
    broker.start_broker()
    remote = lambda *args, **more: broker.run(*args, "--broker", broker.url, "--config", config, **more)
    mine = ("joineui", "add", "70b3d57ed0000000/40", "--member", "acme", "--server", SERVERS[0], "--server", SERVERS[1])
    assert "EUI blocks of acme" in remote(*mine, code=5).stderr
    broker.cli("member", "block", "add", "acme", "70b3d57ed0000000/36")
    assert remote(*mine, "--dry-run").stdout and broker.json("joineui", "list") == []
    assert remote(*mine).stdout == "JoinEUI 70b3d57ed0000000/40: added\n"
    assert remote(*mine).stdout == "JoinEUI 70b3d57ed0000000/40: unchanged\n"
    assert "70b3d57ed0000000/40" in remote("joineui", "list").stdout and "js.acme.example" in remote("joineui", "show", "70b3d57ed0000000/40").stdout
    assert "192.0.2.30" in broker.kdig(OTHER, "A", cert)
    remote("joineui", "add", "70b3d57ed0000000/40", "--member", "bolt", code=5)
    remote("joineui", "add", "70b3d57ed0000000/38", "--member", "acme", code=64)
    remote("joineui", "add", "70b3d57ee0000000/40", "--member", "acme", code=5)
    # the operator gave one inside to somebody else before: told that it is taken, not whose it is
    broker.cli("joineui", "remove", "70b3d57ed0000000/40")
    add(broker, "70b3d57ed0000001", "bolt")
    refused = remote(*mine, code=9).stderr
    assert "taken" in refused and "bolt" not in refused
    assert [(row["joineui"], row["owner"], row["claimant"]) for row in broker.json("joineui", "conflicts")] == [("70b3d57ed0000000/40", "bolt", "acme")]
    assert broker.json("device", "conflicts") == []
    remote("joineui", "remove", "70b3d57ed0000001", code=7)
    # a certificate for a join server claims its JoinEUI, or uses the block that is the member's; of another's it is refused
    broker.cli("joineui", "remove", "70b3d57ed0000001")
    remote(*mine)
    broker.cert("js", member="acme", joineui="70b3d57ed0000009")
    assert [row["joineui"] for row in broker.json("joineui", "list")] == ["70b3d57ed0000000/40"]
    broker.cli("token", "create", "--member", "bolt", "--profile", "js", "--joineui", "70b3d57ed0000008", code=9)
    shown = broker.json("joineui", "show", "70b3d57ed0000009")
    assert (shown["held_as"], shown["answer"], shown["member"], shown["servers"]) == ("70b3d57ed0000000/40", "70b3d57ed0000000/40", "acme", SERVERS[:2])
    assert shown["name"] == "9.0.0.0.0.0." + BLOCK
    broker.cli("joineui", "show", "80b3d57ed0000009", code=7)
    assert remote("joineui", "remove", "70b3d57ed0000000/40").stdout == "JoinEUI 70b3d57ed0000000/40: removed\n"
    journal = broker.cli("journal", "tail", "-n", "3").stdout
    assert "joineui 70b3d57ed0000000/40" in journal
