"""What is in a program's memory, read as its worst enemy would: by root, page by page, what was freed too."""
import pathlib
import re

LARGE = 1 << 28  # maps of files and a sanitizer's shadow: no heap of ours is so large


class Region:
    def __init__(self, start, end, name, flags):
        self.start, self.end, self.name, self.flags = start, end, name, flags

    @property
    def is_locked(self):
        """Locked into RAM and left out of core files."""
        return {"lo", "dd"} <= self.flags


def regions(pid):
    """The parts of a process that can be written and are there."""
    out, head, rss = [], None, 0
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line):
            head, rss = match, 0
        elif line.startswith(("Rss:", "Swap:")):
            rss += int(line.split()[1])
        elif line.startswith("VmFlags:"):
            start, end = int(head[1], 16), int(head[2], 16)
            if rss and "r" in head[3] and "w" in head[3] and not head[4].endswith("data.mdb"):
                out.append(Region(start, end, head[4], set(line.split()[1:])))
    return out


def find(pid, needles):
    """{needle's name: [the region of each place where it stands]}."""
    found = {name: [] for name in needles}
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for region in regions(pid):
            if region.end - region.start > LARGE:
                continue
            memory.seek(region.start)
            data = memory.read(region.end - region.start)
            for name, needle in needles.items():
                at = data.find(needle)
                while at >= 0:
                    found[name].append(region)
                    at = data.find(needle, at + 1)
    return found
