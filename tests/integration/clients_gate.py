# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the gate: one door with CURVE before the workers' local sockets.

It passes requests on by the table of messages, or by `to`, and brings the answers back. What the
real gate is there for - who may, how much, how fast - has its own tests.
"""
import os
import threading

import msgpack
import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from hoso_client.messages import REQUESTS


def another_key():
    return zmq.curve_keypair()[0]


class Gate(threading.Thread):
    def __init__(self, run, folder):
        super().__init__(name="gate", daemon=True)
        self._run, self._folder = run, folder
        self._context = zmq.Context()
        self._authenticator = ThreadAuthenticator(self._context)
        self._authenticator.start()
        self._ended = threading.Event()
        server = zmq.curve_keypair()
        self._public, self._secret = zmq.curve_keypair()
        known = os.path.join(folder, "known")
        os.mkdir(known)
        with open(os.path.join(known, "party.key"), "w", encoding="ascii") as file:
            file.write(f'curve\n    public-key = "{self._public.decode()}"\n')
        self._authenticator.configure_curve(domain="*", location=known)
        self._server_key = server[0]
        self._door = self._context.socket(zmq.ROUTER)
        self._door.curve_server = True
        self._door.curve_publickey, self._door.curve_secretkey = server
        self._port = self._door.bind_to_random_port("tcp://127.0.0.1")
        self._askers, self._workers = {}, {}
        self.start()

    def key_file(self, gate=None):
        """As the operator hands it out."""
        path = os.path.join(self._folder, "party.key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="ascii") as file:
            file.write(f'public = "{self._public.decode()}";\n'
                       f'secret = "{self._secret.decode()}";\n'
                       f'gate = "{(gate or self._server_key).decode()}";\n'
                       f'endpoint = "tcp://127.0.0.1:{self._port}";\n')
        return path

    def run(self):
        poller = zmq.Poller()
        poller.register(self._door, zmq.POLLIN)
        while not self._ended.is_set():
            for socket, _ in poller.poll(100):
                frames = socket.recv_multipart()
                if socket is self._door:
                    self._forward(poller, frames[0], frames[1])
                else:
                    self._back(frames[-1])

    def _forward(self, poller, asker, frame):
        envelope = msgpack.unpackb(frame)
        service = envelope.pop("to", None) or REQUESTS[envelope["type"]][0]
        self._askers[envelope["id"]] = asker
        if service not in self._workers:
            worker = self._context.socket(zmq.DEALER)
            worker.linger = 0
            worker.connect(f"ipc://{self._run}/{service}.sock")
            poller.register(worker, zmq.POLLIN)
            self._workers[service] = worker
        self._workers[service].send(msgpack.packb(envelope))

    def _back(self, frame):
        asker = self._askers.get(msgpack.unpackb(frame).get("re"))
        if asker is not None:
            self._door.send_multipart([asker, frame])

    def close(self):
        self._ended.set()
        self.join()
        self._authenticator.stop()
        self._context.destroy(0)
