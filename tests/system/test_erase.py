"""Data protection: what is held about a member, and taking members' and devices' traces away."""
import json

import pytest

EUI, OTHER = "70b3d57ed0000001", "70b3d57ed0000002"


@pytest.fixture(params=["no broker", "broker"])
def two(fed, request):
    fed.cli("member", "add", "acme", "--netid", "000013", "--endpoint", "192.0.2.10:8005", "--org", "Acme Personal",
            "--noc", "jane@acme.test", "--security", "joe@acme.test")
    fed.member("bolt", "00002b", "192.0.2.20:8005")
    fed.devices("000013", [EUI, OTHER])
    fed.cli("device", "add", "--netid", "00002b", EUI, code=9)
    fed.cli("device", "release", EUI, "--to", "bolt")
    if request.param == "broker":
        fed.start_broker()
    return fed


def test_all_there_is_about_a_member(two):
    two.cli("member", "block", "add", "acme", "70b3d57ed0000000/36")
    two.cert("doh", member="acme")
    token = two.json("token", "create", "--member", "acme", "--profile", "doh")
    two.cli("joineui", "add", "70b3d57ed0000000/40", "--member", "acme", "--server", "https://192.0.2.12:8006")
    about = json.loads(two.cli("member", "export", "acme").stdout)
    assert (about["org"], about["noc"], about["security"]) == ("Acme Personal", "jane@acme.test", "joe@acme.test")
    assert [net["netid"] for net in about["networks"]] == ["000013"]
    assert [device["deveui"] for device in about["devices"]] == [EUI, OTHER]
    assert about["blocks"] == ["70b3d57ed0000000/36"]
    assert about["certificates"][0]["profile"] == "doh"
    assert about["conflicts"][0]["claimant"] == "bolt" and about["releases"][0]["to"] == "bolt"
    assert any(change["kind"] == "member" for record in about["journal"] for change in record["changes"])
    assert "bolt" not in [change["key"] for record in about["journal"] for change in record["changes"]]
    assert [row["id"] for row in about["tokens"]] == [token["id"]] and token["token"] not in json.dumps(about)
    assert [(row["joineui"], row["servers"]) for row in about["joineuis"]] == [("70b3d57ed0000000/40", ["https://192.0.2.12:8006"])]
    assert about["zones"] == about["lookups"] == about["graces"] == []
    two.cli("member", "export", "nobody", code=7)


def test_a_device_leaves_no_trace_but_that_it_is_gone(two):
    assert EUI in two.cli("journal", "export").stdout
    two.cli("device", "erase", EUI, code=64)
    two.cli("device", "erase", EUI, "--dry-run")
    assert two.json("device", "show", EUI)["netid"] == "000013"
    done = json.loads(two.cli("device", "erase", EUI, "--yes", "-o", "json").stdout)
    assert (done["removed"], done["conflicts"]) == (1, 1) and done["journal_facts"] >= 3
    assert all(item["what"] and item["why"] for item in done["stays"])
    two.cli("device", "show", EUI, code=7)
    assert two.json("device", "conflicts") == [] and two.json("device", "releases") == []
    carrying = [record for record in two.json("journal", "export")
                if any(EUI in change["key"] for change in record["changes"])]
    assert len(carrying) == 1 and carrying[0]["sequence"] == done["sequence"]
    two.cli("device", "erase", EUI, "--yes")  # when that is not needed any more either
    assert EUI not in two.cli("journal", "export").stdout
    assert two.json("device", "show", OTHER)["netid"] == "000013"
    two.cli("zone", "check")


def test_a_member_leaves_its_id_and_nothing_of_its_people(two):
    two.cli("member", "erase", "acme", "--yes", code=9)  # not while it is one
    two.cli("member", "remove", "acme", "--yes")
    done = json.loads(two.cli("member", "erase", "acme", "--yes", "-o", "json").stdout)
    assert done["journal_records"] >= 1 and done["stays"]
    about = json.loads(two.cli("member", "export", "acme").stdout)
    assert (about["org"], about["noc"], about["security"], about["state"]) == ("", "", "", "removed")
    two.cli("member", "add", "acme", code=9)
    two.cli("zone", "check", code=None)


def test_compacting_gives_space_and_old_bytes_back(two):
    two.devices("00002b", [f"{0x70b3d57ed2000000 + i:016x}" for i in range(30000)])
    two.cli("device", "erase", EUI, "--yes")
    two.cli("zone", "import", "--netid", "00002b", "--replace", "--yes", "-", stdin="70b3d57ed2000000\n")
    if two.broker:
        assert "stop the broker" in two.cli("store", "compact", code=10).stderr
        two.stop()
    sizes = json.loads(two.cli("store", "compact", "-o", "json").stdout)
    assert sizes["after"] < sizes["before"] / 2
    two.cli("device", "erase", EUI, "--yes")
    two.cli("store", "compact")
    assert bytes.fromhex(EUI) not in (two.state / "data.mdb").read_bytes()
    assert not (two.state / "compact.tmp").exists()
    assert two.json("device", "show", OTHER)["netid"] == "000013"
    two.cli("zone", "check")
    two.start_broker()
