"""The drill: the issuing CA's key is stolen. The commands are those of docs/authority.md, in their order."""
import json
import subprocess
import time

import pytest

from fed import Federation, wait_until
from test_ca import cas, ceremony, certificate
from test_chains import sign
from test_est import certs_in, csr_of, enroll, one_line
from test_join import Member, token
from test_ns import Ns, message

MINUTE = 60


class Thief:
    """Whoever has the issuing key: certificates that say what he likes."""

    def __init__(self, fed, folder):
        folder.mkdir()
        self.issuing = folder / "issuing.pem"
        self.issuing.write_bytes(next((fed.state / "ca").glob("*.pem")).read_bytes())
        self.key = folder / "issuing.key"
        self.key.write_bytes(next((fed.state / "ca").glob("*.key")).read_bytes())
        self.fed, self.folder = fed, folder

    def forge(self, name, host):
        leaf, key = sign(self.fed, self.folder, name, "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                         f"subjectAltName=DNS:{host}\n", self.issuing, self.key)
        cert = type("Forged", (), {})()
        cert.chain, cert.key = self.folder / f"{name}.chain.pem", key
        cert.chain.write_text(leaf.read_text() + self.issuing.read_text())
        return cert


@pytest.fixture
def world(tmp_path):
    fed = Federation(tmp_path)
    fed.init("--root-out", tmp_path / "root.key")
    fed.ca = f"ca.{fed.name}"
    fed.member("acme", "000013", "127.0.0.1:1")
    fed.member("umbra", "000014", "127.0.0.2:1")
    fed.home = Ns(fed, "home", "000013", fed.cert("ns", member="acme", netid="000013", folder=tmp_path / "h"))
    fed.umbra = fed.cert("ns", member="umbra", netid="000014", folder=tmp_path / "v")
    fed.start_broker()
    fed.member("wayne", "000015", "127.0.0.3:1")
    fed.wayne = Member(fed)  # a machine where nobody types anything
    fed.wayne.join(token(fed, member="wayne", profile="doh"))
    fed.daemon("fedroam", "renew", "--daemon", "--every", "1s", "--dir", fed.wayne.folder)
    fed.home.configure().start()
    yield fed
    fed.stop()


def asks_home(fed, cert):
    """A request to the network server, as NetID 000014: its status; 0: no connection."""
    return fed.home.curl(json.dumps(message("HomeNSReq", DevEUI="70b3d57ed0000001")), cert)[0]


def is_accepted(status):
    return status == 200


def renew(fed, cert, folder, issuer):
    """A member with another EST client: with the certificate it has."""
    status, _, body = enroll(fed, one_line(csr_of(cert.key, subject="/")), op="simplereenroll", cert=cert)
    assert status == 200
    return certificate(fed, folder, certs_in(body)[0], cert.key, issuer)


def test_the_issuing_key_is_stolen(world, tmp_path):
    fed = world
    thief = Thief(fed, tmp_path / "thief")
    member, network = thief.forge("member", "acme.member.fed.test"), thief.forge("network", "000014.netid.fed.test")
    assert is_accepted(asks_home(fed, fed.umbra))

    # What a forgery is worth before anybody knows: nothing at the broker, nothing at a network server of this house.
    assert fed.query_raw("000013.netid.fed.test", "A", member)[0] == 403
    assert asks_home(fed, network) in (0, 403)

    # The next CA. Its key is made here, the root signs it elsewhere.
    old = next(n for n, row in cas(fed).items() if row["state"] == "active")
    fed.cli("ca", "intermediate", "prepare", "--reason", "drill")
    cert, = ceremony(fed, tmp_path)
    fed.cli("ca", "intermediate", "install", cert)
    fed.cli("ca", "intermediate", "activate", cert.stem, "--reason", "issuing key stolen")
    start = time.monotonic()

    # Every member renews by itself, with what it has; `ca show` says who has.
    wait_until(lambda: "wayne" in fed.json("ca", "show", cert.stem)["members"], MINUTE, "a member's machine to renew")
    umbra = renew(fed, fed.umbra, tmp_path / "v2", cert.stem)
    home = renew(fed, fed.home.cert, tmp_path / "h2", cert.stem)
    assert fed.query("000013.netid.fed.test", "A", umbra).answer
    fed.home.cert.chain.write_bytes(home.chain.read_bytes())
    fed.home.reload()
    assert set(fed.json("ca", "show", cert.stem)["members"]) >= {"acme", "umbra"}
    wait_until(lambda: "(broker)" in fed.json("ca", "show", cert.stem)["members"], 20, "the broker's own certificate")

    # The root takes the stolen one out.
    new = tmp_path / "new.crl"
    fed.run("ca", "root", "crl", "--root", fed.root, "--root-key", tmp_path / "root.key", "--previous", fed.state / "crl/root.crl",
            "--revoke", fed.state / f"ca/{old}.pem", "--out", new, "--transcript", tmp_path / "crl.txt")
    fed.cli("ca", "crl", "install", new, "--reason", "issuing key stolen")
    taken_out = time.monotonic()
    assert cas(fed)[old]["state"] == "revoked" and cas(fed)[old]["live"] == 0

    # Forgeries, and what the old CA signed in good faith, are refused within a minute; who renewed notices nothing.
    def all_refused():
        return fed.query_raw("000013.netid.fed.test", "A", member)[0] == 403 and asks_home(fed, network) in (0, 403) and \
            fed.query_raw("000013.netid.fed.test", "A", fed.umbra)[0] == 403
    wait_until(all_refused, MINUTE, "forgeries to be refused")
    print(f"refused {time.monotonic() - taken_out:.2f} s after the root's list, {time.monotonic() - start:.1f} s after the new CA")
    assert fed.query("000013.netid.fed.test", "A", umbra).answer
    assert is_accepted(asks_home(fed, umbra))
    assert {row["netid"] for row in fed.wayne.json("peers", "list")} == {"000013", "000014", "000015"}

    # Who checks lists sees it too.
    lists = []
    for der in (new, fed.state / f"crl/{old}.crl"):
        subprocess.run(["openssl", "crl", "-inform", "DER", "-in", der, "-out", tmp_path / f"{der.stem}.pem"], check=True)
        lists += ["-CRLfile", tmp_path / f"{der.stem}.pem"]
    done = subprocess.run(["openssl", "verify", "-crl_check_all", "-CAfile", fed.root, "-untrusted", thief.issuing, *lists,
                           network.chain], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "revoked" in done.stdout + done.stderr
    # And the stolen CA cannot come back.
    fed.cli("ca", "intermediate", "activate", old, code=9)
