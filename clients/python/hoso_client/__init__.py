# SPDX-License-Identifier: Apache-2.0
"""Client of the Hoso queue endpoints; see docs/integrators.md.

    from hoso_client import connect

    with connect() as hoso:
        print(hoso.submit(dossier, id="counter-7-2026-000123")["dossier"])
"""
from . import errors
from .connection import Connection, connect
from .errors import *  # noqa: F403 - a class for each code word
from .sockets import Gate, LocalCell
from .tasks import Task, TaskFailed, TaskLoop

__all__ = ["Connection", "Gate", "LocalCell", "Task", "TaskFailed", "TaskLoop", "connect",
           *errors.__all__]
