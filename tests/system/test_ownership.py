"""Who owns what: EUI blocks, first claims, conflicts, releases, the operator's override; suspending hides and resuming shows."""
import json

import pytest

EUI = "70b3d57ed0000001"
OTHER = "70b3d57ed0000002"


@pytest.fixture(params=["no broker", "broker"])
def two(fed, request):
    """acme (000013, 00002a) has two devices, bolt (00002b) none; with and without a broker that runs."""
    fed.cli("member", "add", "acme", "--netid", "000013", "--netid", "00002a", "--endpoint", "192.0.2.10:8005")
    fed.member("bolt", "00002b", "192.0.2.20:8005")
    fed.devices("000013", [EUI, OTHER])
    if request.param == "broker":
        fed.start_broker()
    return fed


def home(fed, eui=EUI):
    return fed.json("device", "show", eui)["netid"]


def test_the_first_claim_stands_and_the_second_is_remembered(two):
    assert two.json("device", "conflicts") == []
    for _ in range(2):
        done = two.cli("device", "add", "--netid", "00002b", EUI, code=9)
        assert "taken by acme" in done.stderr
    two.cli("device", "add", "--netid", "00002b", EUI, "--dry-run", code=9)
    two.cli("zone", "import", "--netid", "00002b", "-", code=9, stdin=f"{OTHER}\n70b3d57ed0000009\n")
    assert home(two) == "000013"
    rows = two.json("device", "conflicts", "--member", "bolt")
    assert [(row["deveui"], row["owner"], row["claimant"], row["netid"], row["count"]) for row in rows] == [
        (EUI, "acme", "bolt", "00002b", 2), (OTHER, "acme", "bolt", "00002b", 1)]
    assert two.json("device", "conflicts", "--member", "nobody") == []
    two.cli("zone", "check")


def test_a_move_takes_two(two):
    two.cli("device", "claim", EUI, "--netid", "00002b", code=7)
    two.cli("device", "release", EUI, "--to", "bolt", "--ttl", "1h", "--dry-run")
    assert two.json("device", "releases") == []
    two.cli("device", "release", EUI, "--to", "bolt", "--ttl", "1h")
    assert [row["to"] for row in two.json("device", "releases", "--member", "bolt")] == ["bolt"]
    two.cli("device", "release", EUI, "--withdraw")
    two.cli("device", "claim", EUI, "--netid", "00002b", code=7)
    two.cli("device", "release", EUI, OTHER, "--to", "bolt", "--until", "2000-01-01", code=65)
    two.cli("device", "release", EUI, OTHER, "--to", "bolt")
    assert "1 moved" in two.cli("device", "claim", EUI, "--netid", "00002b").stdout
    two.devices("00002b", [OTHER])  # publishing what was released is claiming it
    assert home(two) == home(two, OTHER) == "00002b"
    assert two.json("device", "releases") == []
    assert "1 moved" in two.cli("device", "move", EUI, "--to", "00002a", "--reason", "settled").stdout
    two.cli("device", "move", EUI, "--to", "00002b", code=65)
    two.cli("device", "move", "70b3d57ed0000009", "--to", "00002b", "--reason", "settled", code=7)
    two.cli("device", "add", EUI, "--netid", "000013")  # within one member moving is free
    assert home(two) == "000013"


def test_blocks_bind_before_anything_is_looked_at(two):
    two.cli("member", "block", "add", "acme", "70b3d57ed0000000/36")
    assert "acme's" in two.cli("member", "block", "add", "bolt", "70b3d57ed0000000/40", code=9).stderr
    two.cli("member", "block", "add", "bolt", "70b3d57ed0000001/36", code=65)
    two.cli("member", "block", "add", "bolt", "a000000000000000/8", "b000000000000000/8")
    assert [(row["block"], row["member"]) for row in two.json("member", "block", "list")] == [
        ("70b3d57ed0000000/36", "acme"), ("a000000000000000/8", "bolt"), ("b000000000000000/8", "bolt")]
    for eui in (EUI, "70b3d57ee0000001"):  # another member's, and nobody's: the same answer
        assert "outside" in two.cli("device", "add", "--netid", "00002b", eui, code=5).stderr
    assert two.json("device", "conflicts") == []
    two.cli("device", "add", "--netid", "00002b", "a000000000000001")
    done = two.cli("zone", "import", "--netid", "000013", "-", "--keep-going", "-o", "json",
                   stdin="70b3d57ed0000003\n70b3d57ee0000003\n")
    assert json.loads(done.stdout)["refused"][0]["outcome"] == "outside"
    two.cli("member", "block", "remove", "bolt", "a000000000000000/8", "b000000000000000/8")
    two.cli("device", "add", "--netid", "00002b", "70b3d57ee0000001")
    two.cli("policy", "set", "blocks", "required")
    two.cli("device", "add", "--netid", "00002b", "70b3d57ee0000002", code=5)
    two.cli("member", "remove", "acme", "--yes")
    assert two.json("member", "block", "list") == []


def test_suspending_hides_and_resuming_shows(two):
    two.cli("device", "release", EUI, "--to", "bolt")
    two.cli("device", "add", "--netid", "00002b", OTHER, code=9)
    two.cli("member", "suspend", "acme")
    assert two.json("device", "show", EUI)["answered"] is False
    assert EUI not in two.cli("zone", "export").stdout
    two.cli("device", "add", "--netid", "00002b", OTHER, code=9)  # hidden is not free
    assert len(two.json("device", "releases")) == 1
    two.cli("member", "resume", "acme")
    assert two.json("device", "show", EUI)["answered"] is True
    assert f"{EUI}.deveui" in two.cli("zone", "export").stdout
    two.cli("device", "claim", EUI, "--netid", "00002b")
    assert home(two) == "00002b"
