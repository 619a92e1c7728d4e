# SPDX-License-Identifier: Apache-2.0
"""CVE-2019-5736 before init is there: who is in the pid namespace sees LXC's child come up. Behind its /proc/PID/exe
there is no file of the host's then. A hook on the host looks, since a look from within would have to be quick."""

import json

import pytest

LOOK = 'pid=$(sed \'s/.*"pid": *\\([0-9]*\\).*/\\1/\'); readlink /proc/$pid/exe >%s'


def executable_at_the_pivot(made, workdir):
    seen = f"{workdir}/exe"
    made.bundle.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", LOOK % seen]}]}
    made.bundle.write()
    made.run_ok()
    with open(seen, encoding="utf-8") as file:
        return file.read().strip()


@pytest.mark.parametrize("kind", ["the hosts", "anothers"])
def test_in_a_pid_namespace_with_others_it_is_none_of_the_hosts_files(container, workdir, kind):
    made = container("true")
    made.bundle.linux["namespaces"] = [n for n in made.bundle.linux["namespaces"] if n["type"] != "pid"]
    if kind == "anothers":
        other = container("sleep", "100").up()
        made.bundle.linux["namespaces"].append({"type": "pid", "path": f"/proc/{other.pid}/ns/pid"})
    assert executable_at_the_pivot(made, workdir).startswith("/memfd:"), json.dumps(made.bundle.linux["namespaces"])
