"""Bridges frames between two interfaces with loss and a rate: what `tc netem` does where the kernel has it.

Arguments: first interface, second interface, loss (0 to 1), bits a second, delay in ms. Says `ready`, and then, at most
once a second and way, `moved INTERFACE MS`: a host behind that interface was told at that time (ms since 1970) that more
of what it sent over TCP has arrived.
"""

import heapq
import random
import select
import socket
import struct
import sys
import time

ALL_FRAMES = 0x0003
ROOM_BYTES = 32 * 1024  # of a queue; what comes beyond is dropped, as at a router


def opened(interface):
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_FRAMES))
    frames.bind((interface, 0))
    frames.setblocking(False)
    return frames


class Progress:
    """Of acknowledgements that were delivered: only they tell a sender that its bytes moved."""

    def __init__(self):
        self.highest, self.said_at = {}, {}

    def delivered(self, interface, frame):
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return
        tcp = 14 + (frame[14] & 15) * 4
        flow, number = frame[26:34] + frame[tcp : tcp + 4], struct.unpack_from("!I", frame, tcp + 8)[0]
        before = self.highest.get(flow)
        if before is not None and not 0 < (number - before) % 2**32 < 2**31:
            return
        self.highest[flow] = number
        now = time.time()
        if now - self.said_at.get(interface, 0) >= 1:
            self.said_at[interface] = now
            print(f"moved {interface} {int(now * 1000)}", flush=True)


def main():
    near, far, loss, rate, delay = sys.argv[1:6]
    loss, rate, delay = float(loss), float(rate), float(delay) / 1000
    sockets = {}
    one, other = opened(near), opened(far)
    sockets[one], sockets[other] = other, one
    free_at = {one: 0.0, other: 0.0}
    names, progress = {one: near, other: far}, Progress()
    due, count = [], 0
    chance = random.Random(6)
    print("ready", flush=True)
    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for source in select.select(list(sockets), [], [], wait)[0]:
            frame, address = source.recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING:
                continue  # what this program sent itself
            now = time.monotonic()
            waiting = (free_at[source] - now) * rate / 8
            is_ip = frame[12:14] == b"\x08\x00"
            if is_ip and (chance.random() < loss or waiting > ROOM_BYTES):
                continue
            free_at[source] = max(now, free_at[source]) + len(frame) * 8 / rate
            count += 1
            heapq.heappush(due, (free_at[source] + delay, count, sockets[source], frame))
        while due and due[0][0] <= time.monotonic():
            _, _, target, frame = heapq.heappop(due)
            try:
                target.send(frame)
                progress.delivered(names[target], frame)
            except OSError:
                pass  # the interface is down: a cable that is pulled out


main()
