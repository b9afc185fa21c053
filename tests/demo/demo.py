#!/usr/bin/python3
"""A device joins through the broker, end to end: Afnic's three scenarios, then what must be refused.

Makes a federation with two members in a temporary folder and starts, as separate processes on loopback ports, the broker, the
home network server with its Join Server, and the visited network server. Plays a gateway and a device against them. The device
is npm lora-packet where node is installed (code that is not ours), else Python's `cryptography`."""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
for folder in ("demo", "support", "system"):
    sys.path.insert(0, str(TESTS / folder))

import netns  # noqa: E402
import traffic  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=pathlib.Path, default=TESTS.parent / "build" / "bin", help="folder of the programs")
    parser.add_argument("--npm", type=pathlib.Path, default=TESTS.parent / "build" / "npm", help="where lora-packet is installed")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--keep", action="store_true", help="leave everything running, and print what to try")
    parser.add_argument("--foreign-device", action="store_true", help="fail unless the device is npm lora-packet")
    return parser.parse_args()


def main():
    args = arguments()
    os.environ["FR_BIN"] = str(args.bin.resolve())
    if not args.keep and not traffic.may_capture():
        netns.enter()
    netns.raise_loopback()
    from story import tell  # reads FR_BIN

    folder = pathlib.Path(tempfile.mkdtemp(prefix="fedroam-demo-"))
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: nothing stays behind
        signal.signal(number, signal.default_int_handler)
    try:
        return tell(folder, args)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
