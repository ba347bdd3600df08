"""Lets an interface send whole frames with their checksums: a bridge in user space passes on what it is given."""

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
SET_TX_CHECKSUMS, SET_TSO, SET_GSO = 0x17, 0x1F, 0x24

control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for feature in (SET_GSO, SET_TSO, SET_TX_CHECKSUMS):
    value = array.array("B", struct.pack("II", feature, 0))
    request = struct.pack("16sP", sys.argv[1].encode(), value.buffer_info()[0])
    fcntl.ioctl(control, SIOCETHTOOL, request)
