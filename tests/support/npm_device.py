"""A device whose every byte is made and checked by npm lora-packet: code that is not ours, in another language.

Same shape as gateway_player.Device, so that either can be joined with gateway_player.join()."""
import json
import os
import pathlib
import shutil
import subprocess

from gateway_player import Session

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "npm" / "device.js"


def available(npm):
    """True where node and the installed package are there."""
    return shutil.which("node") is not None and (pathlib.Path(npm) / "node_modules" / "lora-packet").is_dir()


class NpmDevice:
    """A LoRaWAN device in a node process. LoRaWAN 1.1 when `nwk_key` is given."""

    def __init__(self, npm, dev_eui, join_eui, app_key, nwk_key=None, nonce=0):
        self.dev_eui, self.join_eui, self.app_key, self.nwk_key = dev_eui, join_eui, app_key, nwk_key
        self.nonce = nonce
        self._node = subprocess.Popen(["node", str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={**os.environ, "FR_NPM": str(npm)})

    def close(self):
        self._node.stdin.close()
        self._node.wait(timeout=10)
        self._node.stdout.close()

    def _ask(self, **request):
        self._node.stdin.write(json.dumps(request) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def join_request(self):
        self.nonce += 1
        answer = self._ask(op="join_request", join_eui=self.join_eui, dev_eui=self.dev_eui,
                           dev_nonce="%04x" % self.nonce, key=self.nwk_key or self.app_key)
        return bytes.fromhex(answer["phy"])

    def accept(self, phy, window=None, ms=None):
        a = self._ask(op="join_accept", phy=phy.hex(), join_eui=self.join_eui, dev_eui=self.dev_eui,
                      dev_nonce="%04x" % self.nonce, app_key=self.app_key, nwk_key=self.nwk_key)
        if not a["mic_ok"]:
            raise ValueError("lora-packet says: wrong MIC in the join-accept")
        return Session(dev_addr=a["dev_addr"], net_id=a["net_id"], join_nonce=int(a["join_nonce"], 16),
                       dl_settings=None, rx_delay=a["rx_delay"], cf_list=None, keys=a["keys"], window=window, ms=ms)
