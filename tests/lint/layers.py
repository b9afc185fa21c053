"""A file includes only what its layer may use, and the headers of others only where they belong; README.md knows every folder."""
import fnmatch
import re

import source

BELOW = {"base": set()}
BELOW["names"] = {"base"}
BELOW["db"] = {"base"}
BELOW["x509"] = {"base", "names"}
BELOW["dns"] = {"base", "names"}
BELOW["store"] = {"base", "names", "db"}
BELOW["sync"] = {"base", "names"}
BELOW["transport"] = {"base"}
BELOW["daemon"] = {"base", "transport"}
BELOW["resolver"] = {"base", "names", "dns", "transport", "fedroam"}
BELOW["resolver_ev"] = {"base", "fedroam"}
BELOW["resolver_ares"] = {"base", "fedroam"}
BELOW["fedroam"] = {"fedroam"}
BELOW["examples"] = {"fedroam"}
BELOW["enrol"] = {"base", "names", "x509", "transport", "resolver", "publish", "fedroam"}
BELOW["ca"] = {"base", "names", "x509", "store"}
BROKER = {"base", "names", "db", "dns", "store", "transport", "resolver", "x509", "ca", "fedroam"}
BELOW["answer"] = BROKER
BELOW["usage"] = BROKER
BELOW["access"] = BROKER | {"usage"}
BELOW["doh"] = BROKER | {"answer", "access", "usage"}
BELOW["alarm"] = BROKER
BELOW["admin"] = BROKER | {"alarm"}
BELOW["notify"] = BROKER | {"alarm"}
BELOW["est"] = BROKER | {"access", "admin", "usage"}
BELOW["replica"] = BROKER
BELOW["probe"] = BROKER
BELOW["api"] = BROKER | {"access", "admin", "usage", "replica", "probe"}
BELOW["xfr"] = BROKER | {"answer", "access", "admin"}
BELOW["backup"] = BROKER | {"admin"}
BELOW["doctor"] = BROKER | {"alarm", "admin", "backup", "replica"}
BELOW["main"] = BROKER | {"answer", "access", "usage", "doh", "admin", "est", "api", "xfr", "replica", "probe", "daemon", "notify", "backup"}
NS = {"base", "names", "db", "dns", "x509", "transport", "resolver", "fedroam"}
BELOW["frames"] = NS
BELOW["crypto"] = NS | {"frames"}
BELOW["backend"] = NS | {"frames", "crypto"}
BELOW["gateway"] = NS | {"frames", "crypto", "backend"}
BELOW["state"] = NS | {"frames", "crypto"}
BELOW["roles"] = NS | {"frames", "crypto", "backend", "gateway", "state"}
BELOW["ns"] = BELOW["roles"] | {"roles", "daemon"}
BELOW["agent"] = NS | {"daemon"}
PROGRAM = BROKER | {"answer", "access", "usage", "doh", "admin", "backup", "doctor", "main"}
BELOW["session"] = PROGRAM | {"publish"}
BELOW["zones_cli"] = PROGRAM | {"session", "publish", "sync"}
BELOW["publish"] = {"base", "names", "transport", "resolver", "fedroam"}
BELOW["pki_cli"] = PROGRAM | {"session", "publish"}
BELOW["resolver_cli"] = PROGRAM | {"session"}
BELOW["member_cli"] = BELOW["enrol"] | {"dns", "enrol"}
BELOW["bench"] = {"base", "names", "transport", "resolver", "fedroam"}
BELOW["program"] = PROGRAM | {"enrol", "sync", "session", "zones_cli", "pki_cli", "resolver_cli", "bench", "member_cli"}

# The header of a vendor → the files that may know it.
VENDORS = {
    r"ev\.h": ["resolver-client/transport/loop_ev.c", "resolver-client/ev/*", "resolver-client/include/fedroam/ev.h",
               "resolver-client/examples/*"],
    r"ares\.h": ["resolver-client/ares/ares.c"],
    r"yaml\.h": ["zones/base/conf_yaml.c"],
    r"lmdb\.h": ["zones/db/*"],
    r"ldns/.*": ["zones/dns/master.c"],
    r"nghttp2/.*": ["resolver-client/transport/*", "resolver-client/bench/*"],
    r"openssl/ssl\.h": ["resolver-client/transport/*", "resolver-client/bench/*"],
    r"openssl/.*": ["zones/dns/tsig.c", "resolver-client/transport/*", "resolver-client/bench/*", "pki/x509/*", "ns-plugin/crypto/*"],
    r"jansson\.h": ["broker/*", "pki/enrol/*", "ns-plugin/backend/*"],
    r"libpq-fe\.h": ["zones/sync/db_postgresql.c"],
    r"sqlite3\.h": ["zones/sync/db_sqlite.c"],
    r"systemd/.*": ["resolver-client/daemon/daemon.c"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def vendor_places(header):
    for pattern, places in VENDORS.items():
        if re.fullmatch(pattern, header):
            return places
    return None


def check(path, faults):
    own = source.library(path)
    text = (source.ROOT / path).read_text()
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        header = match.group(2)
        places = vendor_places(header)
        if places is not None and not any(fnmatch.fnmatch(str(path), place) for place in places):
            faults.add(path, f"<{header}> belongs to {', '.join(places)}", line)
        used = header.split("/")[0] if "/" in header else None
        if match.group(1) == '"' and used is None:
            faults.add(path, f'"{header}": name the library, "{own}/{header}"', line)
        if used in BELOW and used != own and used not in BELOW[own]:
            faults.add(path, f"{own} is not above {used} (\"{header}\")", line)


def check_readme(faults):
    """Its table of folders is how one finds the room."""
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", (source.ROOT / "README.md").read_text(), re.M))
    for folder in source.LIBRARIES:
        top, name = folder.split("/")
        if f"`{name}`" not in rows.get(top, ""):
            faults.add("README.md", f"the table of folders says nothing of {folder}")


def main():
    faults = source.Faults("layers")
    paths = source.files(".c", ".h")
    for path in paths:
        check(path, faults)
    check_readme(faults)
    faults.finish(len(paths))


main()
