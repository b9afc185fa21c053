#!/usr/bin/python3
"""A LoRaWAN gateway and a class A device, played in software.

`Gateway` speaks the Semtech UDP packet-forwarder protocol v2 as a real one does: two sockets (PUSH_DATA and PULL_DATA come
from different ports), a microsecond counter that wraps, a just-in-time queue that refuses a downlink that comes too late.
`Device` builds join-requests and checks join-accepts of LoRaWAN 1.0.x and 1.1 with the `cryptography` package, so that no
byte of it shares code with the product.

    gw = Gateway("0016c001ff10abcd", ("127.0.0.1", 1700)).start()
    dev = Device("70b3d57ed0000001", "0000000000000001", app_key="000102030405060708090a0b0c0d0e0f")
    session = join(gw, dev)              # None when no (valid) answer came; session.dev_addr, session.keys, session.window

As a program it does one join and prints it as a line of JSON; see --help.
"""
import argparse
import base64
import collections
import json
import queue
import random
import socket
import struct
import sys
import threading
import time

from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PUSH_DATA, PUSH_ACK, PULL_DATA, PULL_RESP, PULL_ACK, TX_ACK = range(6)
JIT_MARGIN_US = 33_000  # what a packet forwarder needs between PULL_RESP and the start of the transmission

Downlink = collections.namedtuple("Downlink", "phy txpk token delay_us answered received")
Session = collections.namedtuple("Session", "dev_addr net_id join_nonce dl_settings rx_delay cf_list keys window ms")


def _bytes(value):
    return value if isinstance(value, bytes) else bytes.fromhex(value)


def aes_encrypt(key, block):
    enc = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return enc.update(block) + enc.finalize()


def aes_cmac(key, message):
    mac = cmac.CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


class Gateway:
    """One packet forwarder. `answers` is a list of TX_ACK errors to give to the next downlinks instead of accepting them."""

    def __init__(self, eui, server, tmst_offset=None, keepalive=5.0):
        self.eui = _bytes(eui)
        self.server = server
        self.answers = []
        self.downlinks = queue.Queue()
        self.push_acks = 0
        self.pull_acks = 0
        self.last_uplink_tmst = 0
        self._offset = random.getrandbits(32) if tmst_offset is None else tmst_offset
        self._keepalive = keepalive
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._push = socket.socket(family, socket.SOCK_DGRAM)
        self._pull = socket.socket(family, socket.SOCK_DGRAM)
        for s in (self._push, self._pull):
            s.connect(server)
            s.settimeout(0.2)
        self._stop = threading.Event()
        self._pulled = threading.Event()
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._run_pull, self._run_push)]

    def start(self, timeout=5.0):
        """Opens the downlink path: sends PULL_DATA until the server acknowledges one."""
        for t in self._threads:
            t.start()
        end = time.monotonic() + timeout
        while not self._pulled.is_set():
            if time.monotonic() > end:
                raise TimeoutError("no PULL_ACK from %s:%d" % self.server[:2])
            self.pull()
            self._pulled.wait(0.3)
        return self

    def close(self):
        self._stop.set()
        for t in self._threads:
            if t.is_alive():
                t.join()
        self._push.close()
        self._pull.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.close()

    def now_us(self):
        return (time.monotonic_ns() // 1000 + self._offset) & 0xFFFFFFFF

    def pull(self):
        self._send(self._pull, struct.pack(">BHB", 2, random.getrandbits(16), PULL_DATA) + self.eui)

    def push(self, phy, freq=868.1, datr="SF7BW125", rssi=-50, snr=9.0, tmst=None, **more):
        """Sends one received frame; returns its counter value. `more` overrides or adds rxpk members."""
        tmst = self.now_us() if tmst is None else tmst
        rxpk = {"tmst": tmst, "freq": freq, "chan": 0, "rfch": 0, "stat": 1, "modu": "LORA", "datr": datr, "codr": "4/5",
                "rssi": rssi, "lsnr": snr, "size": len(phy), "data": base64.b64encode(phy).decode()}
        rxpk.update(more)
        self.last_uplink_tmst = tmst
        self.push_json({"rxpk": [rxpk]})
        return tmst

    def push_stat(self):
        self.push_json({"stat": {"time": time.strftime("%Y-%m-%d %H:%M:%S GMT", time.gmtime()), "rxnb": 1, "rxok": 1,
                                 "rxfw": 1, "ackr": 100.0, "dwnb": 0, "txnb": 0}})

    def push_json(self, body):
        self.push_raw(json.dumps(body).encode())

    def push_raw(self, body):
        header = struct.pack(">BHB", 2, random.getrandbits(16), PUSH_DATA) + self.eui
        self._send(self._push, header + body)

    def raw(self, datagram):
        """Any bytes at all, from the PUSH_DATA socket."""
        self._send(self._push, datagram)

    def next_downlink(self, timeout=8.0):
        """The next downlink the server asked for (also one that was refused by `answers`), or None."""
        try:
            return self.downlinks.get(timeout=timeout)
        except queue.Empty:
            return None

    @staticmethod
    def _send(sock, datagram):
        try:
            sock.send(datagram)
        except ConnectionRefusedError:
            pass  # the server is not up (yet): UDP reports the ICMP answer to the previous datagram here

    def _run_push(self):
        while not self._stop.is_set():
            try:
                data = self._push.recv(2048)
            except (socket.timeout, ConnectionRefusedError):
                continue
            if len(data) == 4 and data[3] == PUSH_ACK:
                self.push_acks += 1

    def _run_pull(self):
        last = time.monotonic()
        while not self._stop.is_set():
            if time.monotonic() - last > self._keepalive:
                self.pull()
                last = time.monotonic()
            try:
                data = self._pull.recv(4096)
            except (socket.timeout, ConnectionRefusedError):
                continue
            if len(data) == 4 and data[3] == PULL_ACK:
                self.pull_acks += 1
                self._pulled.set()
            elif len(data) > 4 and data[0] == 2 and data[3] == PULL_RESP:
                self._on_pull_resp(data)

    def _on_pull_resp(self, data):
        txpk = json.loads(data[4:])["txpk"]
        phy = base64.b64decode(txpk["data"])
        assert len(phy) == txpk["size"], "size is not the length of data"
        delay = (txpk["tmst"] - self.last_uplink_tmst) & 0xFFFFFFFF
        ahead = (txpk["tmst"] - self.now_us()) & 0xFFFFFFFF
        error = None
        if self.answers:
            error = self.answers.pop(0)
        elif ahead > 0x80000000 or ahead < JIT_MARGIN_US:
            error = "TOO_LATE"
        ack = struct.pack(">B", 2) + data[1:3] + struct.pack(">B", TX_ACK) + self.eui
        if error is not None:
            ack += json.dumps({"txpk_ack": {"error": error}}).encode()
        self._send(self._pull, ack)
        self.downlinks.put(Downlink(phy, txpk, data[1:3], delay, error, time.monotonic()))


class Device:
    """A device with its root keys. LoRaWAN 1.1 when `nwk_key` is given, 1.0.x otherwise. DevNonce counts up from `nonce`."""

    def __init__(self, dev_eui, join_eui, app_key, nwk_key=None, nonce=None):
        self.dev_eui = _bytes(dev_eui)
        self.join_eui = _bytes(join_eui)
        self.app_key = _bytes(app_key)
        self.nwk_key = _bytes(nwk_key) if nwk_key else None
        self.nonce = random.getrandbits(12) if nonce is None else nonce
        self.used = None  # the DevNonce of the last join-request
        self.last_join_nonce = -1

    @property
    def _join_key(self):
        return self.nwk_key or self.app_key

    def join_request(self, nonce=None, bad_mic=False):
        if nonce is None:
            self.nonce += 1
            nonce = self.nonce
        self.used = nonce
        body = b"\x00" + self.join_eui[::-1] + self.dev_eui[::-1] + struct.pack("<H", nonce)
        mic = aes_cmac(self._join_key, body)[:4]
        if bad_mic:
            mic = bytes([mic[0] ^ 1]) + mic[1:]
        return body + mic

    def accept(self, phy, window=None, ms=None):
        """Decrypts and checks a join-accept as the device does. A Session; ValueError when the device would drop it."""
        if len(phy) not in (17, 33) or phy[0] != 0x20:
            raise ValueError("not a join-accept: %s" % phy.hex())
        blocks = phy[1:]
        plain = b"".join(aes_encrypt(self._join_key, blocks[i:i + 16]) for i in range(0, len(blocks), 16))
        body, mic = plain[:-4], plain[-4:]
        opt_neg = bool(body[10] & 0x80)
        nonce = struct.pack("<H", self.used)
        if opt_neg:
            if self.nwk_key is None:
                raise ValueError("OptNeg toward a LoRaWAN 1.0 device")
            int_key = aes_encrypt(self.nwk_key, b"\x06" + self.dev_eui[::-1] + bytes(7))
            expected = aes_cmac(int_key, b"\xff" + self.join_eui[::-1] + nonce + b"\x20" + body)[:4]
        else:
            expected = aes_cmac(self._join_key, b"\x20" + body)[:4]
        if mic != expected:
            raise ValueError("wrong MIC in the join-accept")
        join_nonce = int.from_bytes(body[0:3], "little")
        if self.nwk_key and join_nonce <= self.last_join_nonce:
            raise ValueError("JoinNonce %d is not greater than %d" % (join_nonce, self.last_join_nonce))
        self.last_join_nonce = join_nonce
        return Session(dev_addr=body[6:10][::-1].hex(), net_id=body[3:6][::-1].hex(), join_nonce=join_nonce,
                       dl_settings=body[10], rx_delay=body[11], cf_list=body[12:].hex(),
                       keys=self._keys(body, opt_neg, nonce), window=window, ms=ms)

    def _keys(self, body, opt_neg, nonce):
        if not opt_neg:
            tail = body[0:6] + nonce + bytes(7)
            return {name: aes_encrypt(self._join_key, bytes([t]) + tail).hex()
                    for name, t in (("NwkSKey", 1), ("AppSKey", 2))}
        tail = body[0:3] + self.join_eui[::-1] + nonce + bytes(2)
        keys = {name: aes_encrypt(self.nwk_key, bytes([t]) + tail).hex()
                for name, t in (("FNwkSIntKey", 1), ("SNwkSIntKey", 3), ("NwkSEncKey", 4))}
        keys["AppSKey"] = aes_encrypt(self.app_key, b"\x02" + tail).hex()
        return keys


def join(gateway, device, timeout=8.0, phy=None, **radio):
    """One join: sends the request, waits for the downlink that the gateway accepts. A Session, or None when nothing came."""
    phy = device.join_request() if phy is None else phy
    begin = time.monotonic()
    gateway.push(phy, **radio)
    while True:
        left = begin + timeout - time.monotonic()
        down = gateway.next_downlink(left) if left > 0 else None
        if down is None:
            return None
        if down.answered in (None, "NONE"):
            window = {5_000_000: "RX1", 6_000_000: "RX2"}.get(down.delay_us, "%d us" % down.delay_us)
            return device.accept(down.phy, window=window, ms=round((down.received - begin) * 1000, 1))


def main():
    parser = argparse.ArgumentParser(description="Play one join of a device behind a gateway; prints a line of JSON.",
                                     epilog="Exit code 0: joined; 3: no answer; 4: an answer the device would drop.")
    parser.add_argument("--server", default="127.0.0.1:1700", metavar="ADDRESS:PORT")
    parser.add_argument("--gateway", default="0016c001ff10abcd", metavar="EUI")
    parser.add_argument("--deveui", required=True)
    parser.add_argument("--joineui", default="0000000000000001")
    parser.add_argument("--appkey", required=True)
    parser.add_argument("--nwkkey", help="makes it a LoRaWAN 1.1 device")
    parser.add_argument("--nonce", type=int, help="DevNonce of the join-request (random)")
    parser.add_argument("--phy", help="send this join-request (hex), built by someone else, instead")
    parser.add_argument("--freq", type=float, default=868.1)
    parser.add_argument("--datr", default="SF7BW125")
    parser.add_argument("--timeout", type=float, default=8.0)
    args = parser.parse_args()
    host, _, port = args.server.rpartition(":")
    device = Device(args.deveui, args.joineui, args.appkey, args.nwkkey)
    phy = bytes.fromhex(args.phy) if args.phy else device.join_request(args.nonce)
    device.used = int.from_bytes(phy[17:19], "little")
    with Gateway(args.gateway, (host.strip("[]"), int(port))) as gateway:
        begin = time.monotonic()
        gateway.push(phy, freq=args.freq, datr=args.datr)
        out = {"deveui": args.deveui, "join_request": phy.hex(), "joined": False}
        code = 3
        down = gateway.next_downlink(args.timeout)
        while down is not None and down.answered is not None:
            down = gateway.next_downlink(args.timeout)
        if down is not None:
            out.update(join_accept=down.phy.hex(), delay_us=down.delay_us, txpk=down.txpk,
                       answer_ms=round((down.received - begin) * 1000, 1))
            try:
                session = device.accept(down.phy)
                out.update(joined=True, **{k: getattr(session, k) for k in ("dev_addr", "net_id", "join_nonce", "keys")})
                code = 0
            except ValueError as error:
                out.update(why=str(error))
                code = 4
    print(json.dumps(out))
    return code


if __name__ == "__main__":
    sys.exit(main())
