"""Our chains before the verifiers of others: OpenSSL, GnuTLS, NSS, Go's crypto/tls and Node's tls take them, and refuse what they
must, although the issuing CA's own key made it."""
import os
import pathlib
import subprocess

import pytest

from fed import SOURCE, Federation, go_build, tool

HERE = pathlib.Path(__file__).resolve().parent / "chains"
NAME = "000013.netid.fed.test"


def run(*args, env=None):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, env=env, timeout=120)
    return done.returncode == 0, done.stdout + done.stderr


def must(*args, **more):
    good, text = run(*args, **more)
    assert good, f"{args}: {text}"
    return text


class Chain:
    """Leaf, the CAs between it and the root, and the leaf's key, as files."""

    def __init__(self, folder, leaf, key, *cas, crls=()):
        self.leaf, self.key, self.cas, self.crls = leaf, key, cas, crls
        self.file = folder / f"{leaf.stem}.all.pem"
        self.file.write_text("".join(p.read_text() for p in (leaf, *cas)))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A federation without a broker; chains to be judged in .chains."""
    folder = tmp_path_factory.mktemp("chains")
    fed = Federation(folder)
    fed.init()
    fed.member("acme", "000013", "127.0.0.1:8005")
    fed.issuing = next((fed.state / "ca").glob("*.pem"))
    good = fed.cert("ns", member="acme", netid="000013")
    taken = fed.cert("ns", member="acme", netid="000013", folder=folder / "taken")
    fed.cli("cert", "revoke", taken.serial, "--yes")
    fed.chains = {
        "good": split(folder, "good", good, fed.issuing),
        "other-name": forge(fed, folder, "other-name", "evil.example"),
        "expired": forge(fed, folder, "expired", NAME, days=30, when="2026-01-01"),
        "below-a-leaf": below_a_leaf(fed, folder),
        "revoked": split(folder, "revoked", taken, fed.issuing),
    }
    fed.crls = [to_pem(folder, fed.state / f"crl/{name}.crl") for name in (fed.issuing.stem, "root")]
    return fed


def to_pem(folder, der):
    out = folder / f"{der.stem}.crl.pem"
    must("openssl", "crl", "-inform", "DER", "-in", der, "-out", out)
    return out


def split(folder, name, cert, issuing):
    leaf = folder / f"{name}.pem"
    must("openssl", "x509", "-in", cert.chain, "-out", leaf)
    return Chain(folder, leaf, cert.key, issuing)


def sign(fed, folder, name, extensions, issuer, issuer_key, days=30, when=None):
    """What a thief with a CA's key can make, with any fields he likes."""
    key, csr, conf, out = (folder / f"{name}.{end}" for end in ("key", "csr", "cnf", "pem"))
    must("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
         "-subj", "/O=fed.test/CN=000013")
    conf.write_text("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth,clientAuth\n" + extensions)
    sign_it = ["openssl", "x509", "-req", "-in", csr, "-CA", issuer, "-CAkey", issuer_key, "-days", days, "-extfile", conf,
               "-set_serial", f"0x{os.urandom(15).hex()}", "-out", out]
    if when:
        sign_it = [tool("faketime"), when, *sign_it]
    must(*sign_it)
    return out, key


def forge(fed, folder, name, host, **more):
    leaf, key = sign(fed, folder, name, "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                     f"subjectAltName=DNS:{host}\n", fed.issuing, fed.issuing.with_suffix(".key"), **more)
    return Chain(folder, leaf, key, fed.issuing)


def below_a_leaf(fed, folder):
    """A member's certificate that says CA:TRUE, and one for another network below it: the issuing CA allows no CA below itself."""
    ca, ca_key = sign(fed, folder, "leaf-that-is-a-ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,"
                      f"digitalSignature\nsubjectAltName=DNS:{NAME}\n", fed.issuing, fed.issuing.with_suffix(".key"))
    leaf, key = sign(fed, folder, "below", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                     f"subjectAltName=DNS:{NAME}\n", ca, ca_key)
    return Chain(folder, leaf, key, ca, fed.issuing)


# --- the verifiers: (is it good, what it said) ---

def host_of(which):
    return "evil.example" if which == "other-name" else NAME


def openssl(fed, chain, which, crls):
    untrusted = [a for ca in chain.cas for a in ("-untrusted", ca)]
    lists = ["-crl_check_all", *[a for crl in crls for a in ("-CRLfile", crl)]] if crls else []
    for purpose in ("sslserver", "sslclient"):
        host = ["-verify_hostname", host_of(which)] if purpose == "sslserver" else []
        good, text = run("openssl", "verify", "-x509_strict", "-purpose", purpose, *host, *lists, "-CAfile", fed.root, *untrusted,
                         chain.leaf)
        if not good:
            return good, text
    return good, text


def gnutls(fed, chain, which, crls):
    """certtool takes a chain and one file of lists."""
    lists = []
    if crls:
        both = fed.folder / "both.crl.pem"
        both.write_text("".join(c.read_text() for c in crls))
        lists = ["--load-crl", both]
    return run(tool("certtool"), "--verify", "--load-ca-certificate", fed.root, "--verify-hostname", host_of(which), *lists,
               "--infile", chain.file)


def nss(fed, chain, which, crls):
    db = fed.folder / f"nss-{which}-{bool(crls)}"
    if not db.exists():
        db.mkdir()
        must(tool("certutil"), "-N", "-d", f"sql:{db}", "--empty-password")
        must(tool("certutil"), "-A", "-d", f"sql:{db}", "-n", "root", "-t", "CT,CT,CT", "-a", "-i", fed.root)
        must(tool("certutil"), "-A", "-d", f"sql:{db}", "-n", "issuing", "-t", ",,", "-a", "-i", fed.issuing)
    for number, crl in enumerate(crls):  # a list takes the place of an older one
        der = db / f"{number}.crl"
        must("openssl", "crl", "-in", crl, "-outform", "DER", "-out", der)
        must(tool("crlutil"), "-I", "-d", f"sql:{db}", "-i", der)
    for use in ("1", "0"):  # server, client
        lists = ["-g", "leaf", "-h", "requireFreshInfo", "-m", "crl", "-g", "chain", "-h", "requireFreshInfo", "-m", "crl"] if crls else []
        good, text = run(tool("vfychain"), "-v", "-d", f"sql:{db}", "-pp", "-u", use, *lists, "-a", chain.leaf, *chain.cas)
        if not good:
            return good, text
    return good, text


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    return go_build(HERE / "handshake.go", tmp_path_factory.mktemp("go"))


def go(fed, chain, which, crls):
    return run(fed.go_program, fed.root, chain.file, chain.key, host_of(which), *crls)


def node(fed, chain, which, crls):
    return run(tool("node"), HERE / "handshake.js", fed.root, chain.file, chain.key, host_of(which), *crls)


VERIFIERS = {"openssl": openssl, "gnutls": gnutls, "nss": nss, "go": go, "node": node}


@pytest.fixture(params=VERIFIERS)
def verifier(request, world):
    if request.param == "go":
        world.go_program = request.getfixturevalue("go_program")
    return VERIFIERS[request.param]


def test_a_good_chain_is_taken(world, verifier):
    good, text = verifier(world, world.chains["good"], "good", [])
    assert good, text


@pytest.mark.parametrize("which", ["other-name", "expired", "below-a-leaf"])
def test_what_the_ca_may_not_sign_is_refused(world, verifier, which):
    good, text = verifier(world, world.chains[which], which, [])
    assert not good, f"{which}: {text}"


def test_with_the_lists_what_was_taken_back_is_refused(world, verifier):
    assert verifier(world, world.chains["good"], "good", world.crls)[0], "both lists are in order"
    assert verifier(world, world.chains["revoked"], "revoked", [])[0], "without a list nobody can know"
    good, text = verifier(world, world.chains["revoked"], "revoked", world.crls)
    assert not good and "revoked" in text.lower(), text


def test_with_the_root_s_list_a_ca_that_was_taken_out_is_refused(world, verifier):
    new = world.folder / f"{verifier.__name__}.crl"
    world.run("ca", "root", "crl", "--root", world.root, "--root-key", world.state / "root.key", "--previous",
              world.state / "crl/root.crl", "--revoke", world.issuing, "--out", new)
    lists = [world.crls[0], to_pem(world.folder, new)]
    good, text = verifier(world, world.chains["good"], "good", lists)
    assert not good and "revoked" in text.lower(), text


def test_lists_want_the_whole_chain(world):
    """T31: with both lists the whole chain is good. A chain that ends at the issuing CA cannot be judged that way (OpenSSL 3.0
    calls its list's signature bad), so nothing of ours lets OpenSSL check lists while it verifies a chain."""
    chain = world.chains["good"]
    lists = ["-crl_check_all", *[a for crl in world.crls for a in ("-CRLfile", crl)]]
    good, text = run("openssl", "verify", *lists, "-CAfile", world.root, "-untrusted", world.issuing, chain.leaf)
    assert good, text
    assert not run("openssl", "verify", *lists, "-partial_chain", "-CAfile", world.issuing, chain.leaf)[0]
    assert run("openssl", "verify", "-partial_chain", "-CAfile", world.issuing, chain.leaf)[0]
    sources = [p for top in ("broker", "ns-plugin", "pki", "resolver-client", "zones") for p in (SOURCE / top).rglob("*.c")]
    assert len(sources) > 300 and not [p for p in sources if "V_FLAG_CRL_CHECK" in p.read_text()]
