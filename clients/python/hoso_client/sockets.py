# SPDX-License-Identifier: Apache-2.0
"""Where the services are: local sockets of a cell's run folder, or the one door of a gate."""
import os
import re

import zmq

from .errors import Invalid
from .messages import REPLY_MAX, SERVICES

_ROW = re.compile(r'^\s*(\w+)\s*=\s*"([^"]*)"\s*;', re.MULTILINE)


def read_key_file(path):
    """What `hoso party add` has made for you: your key pair, the gate's key and its endpoint."""
    with open(path, encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise Invalid(f"{path}: others may read this secret key: chmod 0600 it", "key_file")
        return dict(_ROW.findall(file.read()))


class LocalCell:
    """Programs on the cell's own host: one socket for each service."""
    through_gate = False

    def __init__(self, run):
        self.run = run

    def address(self, service):
        return f"ipc://{os.path.join(self.run, service)}.sock"

    def key_of(self, service):
        return service

    def secure(self, socket):
        pass


class Gate:
    """Programs on other hosts: one encrypted connection; both sides prove who they are."""
    through_gate = True

    def __init__(self, endpoint, gate, public, secret):
        for name, key in (("gate", gate), ("public", public), ("secret", secret)):
            if len(key or "") != 40:
                raise Invalid(f"{name} must be a key of 40 characters in Z85", name)
        self.endpoint, self.gate, self.public, self.secret = endpoint, gate, public, secret

    @classmethod
    def of_key_file(cls, path, endpoint=None):
        row = read_key_file(path)
        return cls(endpoint or row.get("endpoint"), row.get("gate"), row.get("public"),
                   row.get("secret"))

    def address(self, service):
        return self.endpoint

    def key_of(self, service):
        return "gate"

    def secure(self, socket):
        socket.curve_serverkey = self.gate.encode()
        socket.curve_publickey = self.public.encode()
        socket.curve_secretkey = self.secret.encode()
        # A peer that vanished without a word is noticed, and connected to anew.
        socket.heartbeat_ivl, socket.heartbeat_timeout = 10000, 30000


class Sockets:
    """The sockets in use, each made when it is first needed. For one thread."""

    def __init__(self, where):
        self.where = where
        self._context = zmq.Context()
        self._open = {}
        self._poller = zmq.Poller()

    def send(self, service, frame):
        """False where the service cannot be reached at this moment."""
        if service not in SERVICES:
            raise Invalid(f"there is no service {service}", "service")
        try:
            self._socket(service).send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self, wait_s):
        """All frames that have come; waits for the first one."""
        frames = []
        for socket, _ in self._poller.poll(max(0, wait_s) * 1000):
            try:
                while True:
                    frames += socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                pass
        return frames

    def close(self):
        for socket in self._open.values():
            socket.close(0)
        self._open.clear()
        self._context.term()

    def _socket(self, service):
        key = self.where.key_of(service)
        if key not in self._open:
            socket = self._context.socket(zmq.DEALER)
            socket.linger, socket.maxmsgsize = 0, REPLY_MAX
            socket.immediate = True  # nothing is queued for a service that is not there
            socket.reconnect_ivl, socket.reconnect_ivl_max = 50, 2000
            self.where.secure(socket)
            socket.connect(self.where.address(service))
            self._poller.register(socket, zmq.POLLIN)
            self._open[key] = socket
        return self._open[key]
