#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway: sends the messages of one channel.

    gateway.py CHANNEL OUTBOX [TASKS]       ends after so many tasks; 0 = never

OUTBOX stands for the operator of the network. Networks take a reference with each message and
deliver one reference once: give them the task's number, then a message that is tried again after a
crash reaches the citizen once.
"""
import pathlib
import sys

from hoso_client import TaskFailed, connect


def send(outbox, reference, number, text):
    try:
        with open(outbox / reference, "x", encoding="utf-8") as file:
            file.write(f"{number}\n{text}\n")
    except FileExistsError:
        pass  # the network knows the reference: it was sent before the crash


def main(channel, outbox, tasks=0):
    outbox = pathlib.Path(outbox)

    def deliver(task):
        try:
            send(outbox, f"hoso-{task['task']}", task["params"]["to"], task["params"]["text"])
        except OSError as error:  # tried again later, then by the next channel
            raise TaskFailed("the network is away", retry_ms=30000) from error
        print(task["dossier"], task["params"]["template"], flush=True)
        return {}

    with connect() as hoso:
        hoso.work("notification.send", channel, deliver, by=f"gateway-{channel}", role="gateway",
                  batch=10, limit=int(tasks))


if __name__ == "__main__":
    main(*sys.argv[1:])
