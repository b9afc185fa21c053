"""Who sees whose devices: the policy, grants, devices hidden alone, with the real broker and real members."""
import dns.message
import dns.rcode
import pytest

from fed import Federation

ACMES, HIDDEN, UMBRAS, NOBODYS = (f"70b3d57ed000000{i}" for i in "1239")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Members acme (000013, two devices), umbra (000014, one) and corp (none), all asking; a running broker."""
    fed = Federation(tmp_path_factory.mktemp("fed"))
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.member("umbra", "000014", "127.0.0.2:8005")
    fed.member("corp")
    fed.devices("000013", [ACMES, HIDDEN])
    fed.devices("000014", [UMBRAS])
    fed.certs = {name: fed.cert("doh", member=name) for name in ("acme", "umbra", "corp")}
    fed.start_broker()
    yield fed
    fed.stop()


@pytest.fixture
def fed(three):
    """The same, back at the defaults."""
    three.cli("policy", "set", "visibility", "federation", "--yes")
    for pair in three.json("visibility", "list"):
        three.cli("visibility", "deny", "--home", pair["home"], "--visited", pair["visited"])
    three.cli("device", "set", "--hidden", "no", HIDDEN)
    return three


def sees(fed, member, eui):
    reply = fed.query(f"{eui}.deveui.fed.test", "A", fed.certs[member])
    assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return reply.rcode() == dns.rcode.NOERROR


def who_sees(fed, eui):
    return {name for name in fed.certs if sees(fed, name, eui)}


def switch(fed, value, *more, code=0):
    return fed.cli("policy", "set", "visibility", value, *more, code=code)


def test_by_default_every_member_sees_every_device(fed):
    assert who_sees(fed, ACMES) == who_sees(fed, UMBRAS) == {"acme", "umbra", "corp"}


def test_granted_is_one_direction_and_takes_effect_at_once(fed):
    switch(fed, "granted", "--yes")
    assert who_sees(fed, ACMES) == {"acme"}
    fed.cli("visibility", "allow", "--home", "acme", "--visited", "corp")
    assert who_sees(fed, ACMES) == {"acme", "corp"}
    assert who_sees(fed, UMBRAS) == {"umbra"}
    fed.cli("visibility", "allow", "--home", "acme", "--visited", "umbra", "--both")
    assert who_sees(fed, ACMES) == {"acme", "umbra", "corp"}
    assert who_sees(fed, UMBRAS) == {"acme", "umbra"}
    fed.cli("visibility", "deny", "--home", "acme", "--visited", "corp")
    assert who_sees(fed, ACMES) == {"acme", "umbra"}


def test_networks_and_their_keys_are_for_every_member(fed):
    switch(fed, "granted", "--yes")
    assert fed.query("000013.netid.fed.test", "A", fed.certs["corp"]).rcode() == dns.rcode.NOERROR
    assert fed.query("000013.netid.fed.test", "TXT", fed.certs["corp"]).rcode() == dns.rcode.NOERROR


def test_grants_are_listed(fed):
    fed.cli("visibility", "allow", "--home", "acme", "--visited", "corp")
    fed.cli("visibility", "allow", "--home", "umbra", "--visited", "acme")
    rows = [(r["home"], r["visited"]) for r in fed.json("visibility", "list")]
    assert rows == [("acme", "corp"), ("umbra", "acme")]
    assert [(r["home"], r["visited"]) for r in fed.json("visibility", "list", "--visited", "acme")] == [("umbra", "acme")]
    assert "count once it is granted" in fed.cli("visibility", "list").stderr
    assert fed.cli("visibility", "allow", "--home", "acme", "--visited", "corp").stdout.endswith("unchanged\n")


def test_wrong_pairs_are_refused(fed):
    assert "no member nobody" in fed.cli("visibility", "allow", "--home", "nobody", "--visited", "acme", code=7).stderr
    assert "always sees" in fed.cli("visibility", "allow", "--home", "acme", "--visited", "acme", code=None).stderr


def test_switching_says_how_many_pairs_go_dark_and_asks(fed):
    fed.cli("visibility", "allow", "--home", "acme", "--visited", "umbra")
    # two homes, each looked up by two others; one of the four is allowed
    dry = switch(fed, "granted", "--dry-run")
    assert "3 of 4 pairs (visited, home) go dark" in dry.stderr
    asked = switch(fed, "granted", code=64)  # no terminal to ask on
    assert "3 of 4 pairs" in asked.stderr and "--yes" in asked.stderr
    assert who_sees(fed, ACMES) == {"acme", "umbra", "corp"}
    switch(fed, "granted", "--yes")
    assert who_sees(fed, ACMES) == {"acme", "umbra"}
    stats = fed.json("zone", "stats")
    assert (stats["visibility"], stats["pairs"], stats["pairs_seen"]) == ("granted", 4, 1)
    assert "3 of 4 pairs (visited, home) that are dark become visible" in switch(fed, "federation", "--yes").stderr


def test_a_device_is_hidden_alone(fed):
    fed.cli("device", "set", "--hidden", "yes", HIDDEN)
    assert who_sees(fed, HIDDEN) == set()
    assert who_sees(fed, ACMES) == {"acme", "umbra", "corp"}
    shown = fed.json("device", "show", HIDDEN, "--for", "umbra")
    assert (shown["hidden"], shown["answered"], shown["sight"]) == (True, False, "hidden")
    assert f"{HIDDEN}  000013  hidden" in fed.cli("device", "list").stdout
    assert "1 devices are hidden" in fed.cli("zone", "check").stderr
    export = fed.cli("zone", "export")
    assert f"{HIDDEN}.deveui" not in export.stdout and "1 hidden devices are not in it" in export.stderr
    export = fed.cli("zone", "export", "--hidden")
    assert f"{HIDDEN}.deveui 3600 IN CNAME 000013.netid ; hidden\n" in export.stdout and "answers them" in export.stderr
    fed.cli("device", "set", "--hidden", "no", HIDDEN)
    assert who_sees(fed, HIDDEN) == {"acme", "umbra", "corp"}
    assert fed.cli("device", "set", "--hidden", "yes", NOBODYS, code=7).returncode == 7


@pytest.mark.parametrize("more", [[], ["--replace"]])
@pytest.mark.parametrize("count", [1, 3000])
def test_imports_leave_devices_hidden(tmp_path, more, count):
    """Few devices are written in place, many into a table of their own."""
    fed = Federation(tmp_path)
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.cli("member", "set", "acme", "--netid", "00002a")
    fed.devices("000013", [ACMES, HIDDEN])
    fed.cli("device", "set", "--hidden", "yes", HIDDEN)
    others = [f"{0x5800000000000000 + i:016x}" for i in range(count)]
    fed.cli("zone", "import", "--netid", "000013", "-", "--yes", *more, stdin="\n".join([HIDDEN, ACMES, *others]))
    assert fed.json("device", "show", HIDDEN)["hidden"]
    assert not fed.json("device", "show", ACMES)["hidden"]
    # to another NetID of the same member
    fed.cli("zone", "import", "--netid", "00002a", "-", "--yes", *more, stdin="\n".join([HIDDEN, *(f"59{e[2:]}" for e in others)]))
    shown = fed.json("device", "show", HIDDEN)
    assert shown["hidden"] and shown["netid"] == "00002a"
    assert "1 devices are hidden" in fed.cli("zone", "check", code=None).stderr


def test_why_a_member_does_not_see_a_device(fed):
    switch(fed, "granted", "--yes")
    assert fed.json("device", "show", ACMES, "--for", "acme")["sight"] == "seen"
    assert fed.json("device", "show", ACMES, "--for", "umbra")["sight"] == "not granted"


def exchange(fed, member, eui, http, method, edns):
    """Status, fields but the date, and the message without its ID and without the name that was asked for."""
    status, headers, body = fed.query_raw(f"{eui}.deveui.fed.test", "A", fed.certs[member], http, method, edns)
    headers.pop("date", None)
    assert body[13:29].decode() == eui
    return status, headers, body[2:13] + body[29:]


@pytest.mark.parametrize("http", ["--http2", "--http1.1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("edns", [False, True])
def test_hidden_not_granted_and_unknown_are_the_same_bytes(fed, http, method, edns):
    unknown = exchange(fed, "umbra", NOBODYS, http, method, edns)
    fed.cli("device", "set", "--hidden", "yes", HIDDEN)
    hidden = exchange(fed, "umbra", HIDDEN, http, method, edns)
    switch(fed, "granted", "--yes")
    dark = exchange(fed, "umbra", ACMES, http, method, edns)
    unknown_again = exchange(fed, "umbra", NOBODYS, http, method, edns)
    # the SOA's serial moves with each change; nothing else differs
    def without_serial(answer):
        message = dns.message.from_wire(b"\0\0" + answer[2][:11] + NOBODYS.encode() + answer[2][11:])
        assert message.rcode() == dns.rcode.NXDOMAIN
        return answer[0], answer[1], [r.to_text().split()[:6] for r in message.authority], len(answer[2])
    assert dark == unknown_again
    assert without_serial(unknown) == without_serial(hidden) == without_serial(dark)
    assert hidden[1] == unknown[1]


def test_a_member_that_leaves_is_forgotten(tmp_path):
    fed = Federation(tmp_path)
    fed.init()
    for name in ("acme", "umbra"):
        fed.member(name)
    fed.cli("visibility", "allow", "--home", "acme", "--visited", "umbra", "--both")
    fed.cli("member", "remove", "umbra", "--yes")
    assert fed.json("visibility", "list") == []
    assert fed.cli("zone", "check", code=None).returncode in (0, 2)

