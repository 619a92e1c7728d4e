# SPDX-License-Identifier: Apache-2.0
"""Containers on LXC: librunlxc from Python.

    with runlxc.Driver() as driver:
        with driver.run(command, stdout=runlxc.PIPE) as process:
            print(process.stdout.read())
            print(process.wait())

`command` is a Command (a dict, or JSON text): what to run, and where. Driver has the verbs, Process
is what runs, and a failure is an Error.
"""

from ._library import Error
from .driver import Driver, Info, LogLevel, StatsReader, features
from .process import DEVNULL, PIPE, Exit, Process

__all__ = [
    "DEVNULL",
    "Driver",
    "Error",
    "Exit",
    "Info",
    "LogLevel",
    "PIPE",
    "Process",
    "StatsReader",
    "features",
]
__version__ = "0.1.0"
