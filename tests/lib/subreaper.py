# SPDX-License-Identifier: Apache-2.0
"""An engine's shim: a process of its own that is a subreaper, so that the containers it has created
become its children and it learns how they ended.

Run as a program it takes one JSON request a line on stdin and answers each with one on stdout;
class Shim is the other end.
"""

import ctypes
import json
import os
import select
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


class Shim:
    def __init__(self, env):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True
        )

    @property
    def pid(self):
        return self.process.pid

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer

    def run(self, argv, timeout=30):
        """Runs a command to its end: (exit status, stdout and stderr, read to their end)."""
        answer = self._ask(run=list(map(str, argv)), timeout=timeout)
        return answer["status"], answer["output"]

    def run_detached(self, argv, output, timeout=30):
        """The same for a command whose streams a container inherits: they go to a file."""
        return self._ask(run=list(map(str, argv)), output=output, timeout=timeout)["status"]

    def wait(self, pid, timeout=20):
        """Reaps a child: its exit status, or minus the signal that ended it."""
        return self._ask(wait=pid, timeout=timeout)["status"]

    def children(self):
        """Children that are not yet reaped, zombies included."""
        return self._ask(children=True)["children"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def _answer(request):
    if "run" in request:
        if "output" in request:
            with open(request["output"], "wb") as output:
                done = subprocess.run(
                    request["run"],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=request["timeout"],
                    check=False,
                )
            return {"status": done.returncode}
        done = subprocess.run(
            request["run"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["timeout"],
            check=False,
        )
        return {"status": done.returncode, "output": done.stdout.decode(errors="replace")}
    if "wait" in request:
        pidfd = os.pidfd_open(request["wait"])
        if not select.select([pidfd], [], [], request["timeout"])[0]:
            return {"error": f"process {request['wait']} still runs"}
        os.close(pidfd)
        _, status = os.waitpid(request["wait"], 0)
        return {"status": os.waitstatus_to_exitcode(status)}
    return {"children": _children()}


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    for line in sys.stdin:
        try:
            answer = _answer(json.loads(line))
        except Exception as error:  # pylint: disable=broad-except
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
    for pid in _children():
        try:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


if __name__ == "__main__":
    main()
