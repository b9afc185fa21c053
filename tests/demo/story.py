"""The demo from beginning to end: set up, play, tell, and leave running what the user wants to look at."""
import base64
import signal
import sys

import dns.message

import report
import traffic
from fed import BIN, Federation
from network import DEV_EUI, Demo
from scenarios import refusals, resolver_config, roaming_scenarios


def tell(folder, args):
    """Exit code: 0 only when every scenario held and the joins stayed within their limits on the wire."""
    results = []
    demo = Demo(folder, args.npm, args.foreign_device)
    other = Federation(folder / "other", name="other.test")
    try:
        print(f"A federation, two members, a broker, a home network server (D={folder})")
        demo.set_up()
        other.folder.mkdir()
        other.init().member("stranger", "000015")
        print(f"The device is played by {demo.device_is}.")
        meter = traffic.meter(demo)
        try:
            first, later = roaming_scenarios(demo, results, meter)
        finally:
            meter.close()
        report.print_sequence(demo)
        refusals(demo, other, results)
        report.print_traffic(first, later, meter.how)
        fits = report.within_limits(first, later)
        passed = fits and all(s.passed for s in results)
        if args.report:
            report.write(args.report, results, first, later, meter.how)
        print(f"\n{sum(s.passed for s in results)} of {len(results)} scenarios hold"
              + ("." if fits else "; a join cost more on the wire than it may."))
        if args.keep:
            keep(demo)
        return 0 if passed else 1
    finally:
        demo.close()


def keep(demo):
    fed = demo.fed
    cert = fed.cert("doh", member="acme", folder=demo.folder / "try")
    config = resolver_config(demo, cert, "try")
    name = f"{DEV_EUI}.deveui.{fed.name}"
    query = dns.message.make_query(name, "A", use_edns=False, id=0).to_wire()
    get = base64.urlsafe_b64encode(query).rstrip(b"=").decode()
    print(f"""
The broker and the network servers are still running (pids {", ".join(str(d.pid) for d in [fed.broker, *fed.daemons])}). Try:

  kdig @127.0.0.1 -p {fed.port} +https +tls-ca={fed.root} +tls-hostname={fed.host} \\
      +tls-certfile={cert.chain} +tls-keyfile={cert.key} {name} A

  curl -v --cacert {fed.root} --cert {cert.chain} --key {cert.key} \\
      --resolve {fed.host}:{fed.port}:127.0.0.1 '{fed.url}?dns={get}' --output -

  {BIN}/fedroam resolve --config {config} {DEV_EUI}

  curl http://127.0.0.1:{fed.admin_port}/metrics

Press Return (or end this with Ctrl-C or SIGTERM) to stop them and to remove {demo.folder}.""", flush=True)
    if sys.stdin.readline() == "":  # nobody is at the keyboard
        signal.pause()
