"""A name server of a member that tells the truth, or one of many lies, over TCP with TSIG."""
import socket
import struct
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.renderer
import dns.rrset
import dns.rdataclass
import dns.rdtypes.ANY.TSIG
import dns.tsig


class Liar:
    """serial, devices [(eui, netid)] and lie may change between transfers. Only SOA and AXFR are spoken: IXFR gets NOTIMP."""

    def __init__(self, zone, secret, devices):
        self.zone = dns.name.from_text(zone)
        self.key = dns.tsig.Key("acme.key", secret, dns.tsig.HMAC_SHA256)
        self.devices, self.serial, self.lie, self.extra = devices, 1000, None, 0
        self.ends = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def is_running(self):
        return not self.ends

    def kill(self):
        self.ends = True
        self.listener.close()

    def _accept(self):
        while not self.ends:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            connection.settimeout(20)
            try:
                while True:
                    head = self._read(connection, 2)
                    wire = self._read(connection, struct.unpack("!H", head)[0])
                    query = dns.message.from_wire(wire, keyring=self.key)
                    self._answer(connection, query)
            except (OSError, EOFError):
                return

    @staticmethod
    def _read(connection, n):
        data = b""
        while len(data) < n:
            part = connection.recv(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _soa(self, serial=None, zone=None):
        return dns.rrset.from_text(zone or self.zone, 300, "IN", "SOA",
                                   f"ns1.test. h.test. {self.serial if serial is None else serial} 3600 60 604800 60")

    def _records(self):
        out = [dns.rrset.from_text(dns.name.from_text(f"{eui}.deveui", self.zone), 300, "IN", "CNAME", f"{netid}.netid.fed.test.")
               for eui, netid in self.devices]
        if self.extra:   # a giant RRset: text for other people
            out += [dns.rrset.from_text(dns.name.from_text("notes", self.zone), 300, "IN", "TXT", f'"{i} {"x" * 180}"') for i in range(self.extra)]
        return out

    def _sign(self, wire, context, request_mac):
        """Signs one message of a stream; the context of the next one."""
        tsig = dns.rdtypes.ANY.TSIG.TSIG(dns.rdataclass.ANY, dns.rdatatype.TSIG, dns.tsig.HMAC_SHA256, 0, 300, b"",
                                         struct.unpack("!H", wire[:2])[0], 0, b"")
        signed, context = dns.tsig.sign(wire, self.key, tsig, int(time.time()), request_mac if context is None else b"", context, True)
        body = signed.to_wire(origin=None)
        record = self.key.name.to_wire() + struct.pack("!HHIH", 250, 255, 0, len(body)) + body
        count = struct.unpack("!H", wire[10:12])[0]
        return wire[:10] + struct.pack("!H", count + 1) + wire[12:] + record, context

    def _message(self, query, rrsets, question=True, flags=dns.flags.QR | dns.flags.AA, ident=None, rcode=0):
        renderer = dns.renderer.Renderer(query.id if ident is None else ident, flags | rcode, 65535)
        if question:
            renderer.add_question(query.question[0].name, query.question[0].rdtype)
        for rrset in rrsets:
            renderer.add_rrset(dns.renderer.ANSWER, rrset)
        renderer.write_header()
        return renderer.get_wire()

    def _send(self, connection, wire):
        connection.sendall(struct.pack("!H", len(wire)) + wire)

    def _stream(self, connection, query, messages, unsigned_from=None, spoil=None):
        context = None
        wires = []
        for i, wire in enumerate(messages):
            if unsigned_from is None or i < unsigned_from:
                wire, context = self._sign(wire, context, query.mac)
            wires.append(wire)
        if spoil:
            spoil(wires)
        for wire in wires:
            self._send(connection, wire)

    def _answer(self, connection, query):
        kind = query.question[0].rdtype
        if kind == dns.rdatatype.SOA:
            serial = self.serial - 100 if self.lie == "goes_back" else self.serial
            if self.lie == "silence":
                time.sleep(15)
                return
            self._stream(connection, query, [self._message(query, [self._soa(serial)])])
        elif kind == dns.rdatatype.IXFR and self.lie not in ("loop", "past_end"):
            self._stream(connection, query, [self._message(query, [], rcode=4)])
        else:
            getattr(self, f"_lie_{self.lie}", self._truth)(connection, query)

    def _parts(self, query, first=None, last=None, size=4):
        records = [first or self._soa(), *self._records(), last or self._soa()]
        size = 100 if self.extra else size
        return [self._message(query, records[i:i + size], i == 0) for i in range(0, len(records), size)]

    def _truth(self, connection, query):
        self._stream(connection, query, self._parts(query))

    def _lie_cut_tcp(self, connection, query):
        context = None
        wire, context = self._sign(self._parts(query)[0], context, query.mac)
        self._send(connection, wire)
        connection.sendall(struct.pack("!H", 500) + b"\0" * 20)
        raise EOFError

    def _lie_trickle(self, connection, query):
        wire, _ = self._sign(self._parts(query)[0], None, query.mac)
        for byte in struct.pack("!H", len(wire)) + wire:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    def _lie_other_end(self, connection, query):
        self._stream(connection, query, self._parts(query, last=self._soa(self.serial + 1)))

    def _lie_never_ends(self, connection, query):
        """One message, signed anew again and again."""
        names = [dns.name.from_text(f"{0x70b3d57ed1000000 + k:016x}.deveui", self.zone) for k in range(1500)]
        more = self._message(query, [dns.rrset.from_text(name, 300, "IN", "A", "192.0.2.1") for name in names], False)
        wire, context = self._sign(self._message(query, [self._soa()]), None, query.mac)
        self._send(connection, wire)
        while True:
            wire, context = self._sign(more, context, query.mac)
            self._send(connection, wire)

    def _lie_other_zone(self, connection, query):
        self._stream(connection, query, self._parts(query, last=self._soa(zone=dns.name.from_text("bolt.test"))))

    def _lie_truncated(self, connection, query):
        self._stream(connection, query, [self._message(query, [self._soa()], flags=dns.flags.QR | dns.flags.AA | dns.flags.TC)])

    def _lie_garbage(self, connection, query):
        self._send(connection, b"\x00\xff" * 300)

    def _lie_huge(self, connection, query):
        owner = dns.name.from_text(f"{0x70b3d57ed2000000:016x}", self.zone)
        addresses = [f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}" for i in range(3000)]
        giant = dns.rrset.from_text_list(owner, 300, "IN", "A", addresses)
        context = None
        for i in range(40):
            wire, context = self._sign(self._message(query, [self._soa(), giant] if i == 0 else [giant], i == 0), context, query.mac)
            self._send(connection, wire)

    def _lie_unsigned_end(self, connection, query):
        parts = self._parts(query)
        self._stream(connection, query, parts, unsigned_from=len(parts) - 1)

    def _lie_bad_mac(self, connection, query):
        def spoil(wires):
            wires[-1] = wires[-1].replace(b"\x05netid\x03fed", b"\x05netid\x03fad") if b"\x05netid\x03fed" in wires[-1] else wires[-1][:-20] + b"x" * 20
        self._stream(connection, query, self._parts(query), spoil=spoil)

    def _lie_reordered(self, connection, query):
        def spoil(wires):
            wires[1], wires[2] = wires[2], wires[1]
        self._stream(connection, query, self._parts(query, size=2), spoil=spoil)

    def _lie_loop(self, connection, query):
        if query.question[0].rdtype != dns.rdatatype.IXFR:
            self._lie_garbage(connection, query)
            return
        have = query.authority[0][0].serial
        steps = [self._soa()] + [self._soa(have), self._soa(have)] * 200
        self._stream(connection, query, [self._message(query, steps[:50])])

    def _lie_past_end(self, connection, query):
        if query.question[0].rdtype != dns.rdatatype.IXFR:
            self._lie_garbage(connection, query)
            return
        have = query.authority[0][0].serial
        self._stream(connection, query, [self._message(query, [self._soa(), self._soa(have), self._soa(self.serial + 5), self._soa(self.serial + 5)])])

    def _lie_empty_messages(self, connection, query):
        self._stream(connection, query, [self._message(query, [self._soa()])] + [self._message(query, [], False)] * 5)

    def _lie_other_id(self, connection, query):
        self._stream(connection, query, [self._message(query, [self._soa(), self._soa()], ident=query.id ^ 1)])
