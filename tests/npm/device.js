// A LoRaWAN device made of npm lora-packet, so that the network is checked by code that is not ours.
// One JSON request per line on stdin, one JSON answer per line on stdout; identifiers most significant byte first, as on labels.
//   {"op":"join_request", join_eui, dev_eui, dev_nonce, key}                         -> {phy}
//   {"op":"join_accept", phy, join_eui, dev_eui, dev_nonce, app_key, nwk_key|null}   -> {mic_ok, join_nonce, net_id, dev_addr, …, keys}
// nwk_key is given for a LoRaWAN 1.1 device; whether the session is 1.1 is what the network said in OptNeg.
"use strict";
const readline = require("readline");
const lora = require(require.resolve("lora-packet", { paths: [process.env.FR_NPM || __dirname] }));

const hex = (b) => b.toString("hex");
const bytes = (s) => Buffer.from(s, "hex");

function joinRequest(r) {
    const packet = lora.fromFields(
        { MType: "Join Request", AppEUI: bytes(r.join_eui), DevEUI: bytes(r.dev_eui), DevNonce: bytes(r.dev_nonce) },
        null, null, bytes(r.key));
    return { phy: hex(packet.PHYPayload) };
}

function sessionKeys(r, accept, optNeg) {
    const nonce = bytes(r.dev_nonce);
    if (!optNeg)
        return lora.generateSessionKeys10(bytes(r.nwk_key || r.app_key), accept.NetID, accept.AppNonce, nonce);
    return lora.generateSessionKeys11(bytes(r.app_key), bytes(r.nwk_key), bytes(r.join_eui), accept.AppNonce, nonce);
}

function joinAccept(r) {
    const root = bytes(r.nwk_key || r.app_key);
    const clear = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(bytes(r.phy)), root));
    const optNeg = clear.getDLSettingsOptNeg();
    clear.JoinEUI = bytes(r.join_eui);
    clear.DevNonce = bytes(r.dev_nonce);
    const micKey = optNeg ? lora.generateJSKeys(root, bytes(r.dev_eui)).JSIntKey : undefined;
    const keys = sessionKeys(r, clear, optNeg);
    return {
        mic_ok: lora.verifyMIC(clear, micKey, root),
        opt_neg: optNeg,
        join_nonce: hex(clear.AppNonce),
        net_id: hex(clear.NetID),
        dev_addr: hex(clear.DevAddr),
        rx_delay: clear.getRxDelayDel(),
        keys: Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, hex(key)])),
    };
}

const ops = { join_request: joinRequest, join_accept: joinAccept };
readline.createInterface({ input: process.stdin }).on("line", (line) => {
    let answer;
    try {
        const request = JSON.parse(line);
        answer = ops[request.op](request);
    } catch (e) {
        answer = { error: String(e) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
});
