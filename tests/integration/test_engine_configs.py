# SPDX-License-Identifier: Apache-2.0
"""What Docker, containerd, CRI and Podman really wrote: every document of tests/data/engines runs.

Only what belongs to the machine they were written on is changed: the root, the sources of bind
mounts, namespaces of processes that are gone, Docker's network hook (its daemon is not there), and
the cgroup's parent, so that it can be told apart.
"""

import glob
import json
import os
import subprocess

import pytest

from lib import system
from lib.runtime import wait_status
from lib.system import Stream
from lib.terminal import UserTerminal

DATA = os.path.join(os.path.dirname(__file__), "../data/engines")
CONFIGS = sorted(os.path.basename(path) for path in glob.glob(f"{DATA}/*-config-*.json"))
PROCESSES = sorted(os.path.basename(path) for path in glob.glob(f"{DATA}/*-process-*.json"))


def load(name):
    with open(f"{DATA}/{name}", encoding="utf-8") as file:
        return json.load(file)


def lacks_capabilities(document):
    """Whether more is asked for than this machine's bounding set has; runc then fails."""
    wanted = set((document.get("capabilities") or {}).get("bounding") or [])
    own = int(system.process_status("self")["CapBnd"], 16)
    return "CAP_SYS_RESOURCE" in wanted and not own >> 24 & 1


class Adapted:
    """A container with an engine's config.json."""

    def __init__(self, container, workdir, cgroup_parent, sandbox, document):
        self.made = container()
        self.workdir = workdir
        bundle = self.made.bundle
        bundle.config = document
        document["root"]["path"] = bundle.rootfs
        if document["linux"].get("uidMappings"):
            self.give_away(bundle.rootfs, document["linux"]["uidMappings"][0]["hostID"])
        for number, mount in enumerate(document.get("mounts") or []):
            if mount["type"] == "bind":
                mount["source"] = self.source(number, mount["destination"])
        for namespace in document["linux"]["namespaces"]:
            if namespace.get("path"):
                name = {"network": "net"}.get(namespace["type"], namespace["type"])
                namespace["path"] = f"/proc/{sandbox().pid}/ns/{name}"
        for hook in ((document.get("hooks") or {}).get("prestart")) or []:
            hook.update(path="/bin/sh", args=["sh", "-c", f"cat > {workdir}/hook-state"])
        document["linux"]["cgroupsPath"] = cgroup_parent + document["linux"]["cgroupsPath"]
        environment = document["process"]["env"]
        if not self.made.runtime.is_ours and not any(line.startswith("PATH=") for line in environment):
            environment.append("PATH=/bin")  # runc has no default

    def give_away(self, rootfs, owner):
        for directory, directories, files in os.walk(rootfs):
            for name in [".", *directories, *files]:
                if name != "busybox":
                    os.lchown(f"{directory}/{name}", owner, owner)

    def source(self, number, destination):
        path = f"{self.workdir}/source-{number}"
        if os.path.basename(destination) in ("shm", "v"):
            os.mkdir(path)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"{destination} of the engine\n")
        return path


@pytest.fixture
def adapted(container, runtime, workdir, cgroup_parent):
    sandboxes = []

    def sandbox():
        if not sandboxes:
            sandboxes.append(container("sleep", "1000").up())
        return sandboxes[0]

    def make(name):
        document = load(name)
        if lacks_capabilities(document["process"]) and not runtime.is_ours:
            pytest.skip("runc fails where it lacks a capability that is asked for")
        return Adapted(container, workdir, cgroup_parent, sandbox, document).made

    return make


@pytest.mark.parametrize("name", CONFIGS)
def test_an_engines_config_runs(adapted, name, workdir):
    made = adapted(name)
    program = " ".join(made.bundle.process["args"])
    hooked = bool((made.bundle.config.get("hooks") or {}).get("prestart"))
    if program.split()[0].endswith("sleep"):
        run_until_killed(made)
    else:
        with made.popen_run(stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            if "trap" in program:
                Stream(process.stdout.fileno()).until(b"\n")
                process.terminate()
                assert wait_status(process) == 5
            else:
                out, err = process.communicate(timeout=30)
                assert process.returncode == 0, err
                check_output(made, program, out.decode())
    if hooked:
        with open(f"{workdir}/hook-state", encoding="utf-8") as file:
            assert json.load(file)["id"] == made.id


def run_until_killed(made):
    made.up()
    cgroups = set(system.cgroup_paths(made.pid).values())
    assert cgroups == {made.bundle.linux["cgroupsPath"]}
    status = system.process_status(made.pid)
    user = made.bundle.process["user"]
    assert status["Uid"].split()[0] == str(user["uid"])
    assert set(status["Groups"].split()) >= {str(gid) for gid in user.get("additionalGids", [])}
    made.kill("KILL")
    made.wait()
    made.delete()


def check_output(made, program, out):
    if program == "echo hi":
        assert out == "hi\n"
    elif "uid_map" in program:
        assert out.split() == ["0", "100000", "65536"]
    elif "Seccomp:" in program:
        assert f"Seccomp:\t{2 if made.bundle.linux.get('seccomp') else 0}\n" in out
    elif '" /v "' in program:
        assert " /v " in out and "shared:" in out
    elif program.startswith("sh -c id;"):
        assert "uid=1000" in out and "NoNewPrivs:\t1" in out and "Seccomp:\t2" in out


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.endswith("-2.json")])
def test_an_engines_config_goes_through_the_life_of_an_oci_container(adapted, name):
    """create, state, start, exec, kill, delete: as a shim does it."""
    made = adapted(name)
    made.bundle.args("sleep", "100")
    made.create()
    assert made.status == "created"
    made.start()
    assert made.exec_ok("echo", "inside") == "inside\n"
    assert set(system.cgroup_paths(made.pid).values()) == {made.bundle.linux["cgroupsPath"]}
    made.kill("9")
    made.wait()
    made.delete()
    made.delete("--force")


@pytest.mark.parametrize("name", PROCESSES)
def test_an_engines_process_document_runs(adapted, name):
    document = load(name)
    made = adapted("docker-config-1.json" if name.startswith("docker") else "ctr-config-1.json")
    made.bundle.args("sleep", "100")
    made.up()
    path = f"{DATA}/{name}"
    if document.get("terminal"):
        with UserTerminal(rows=40, columns=132) as terminal:
            terminal.run(made.runtime.argv("exec", "--process", path, made.id), made.runtime.environment)
            assert terminal.wait() == 0
            assert "/dev/pts/" in terminal.screen
        return
    result = made.runtime.ok("exec", "--process", path, made.id)
    assert result.stdout == document["args"][1] + "\n"
    pid_file = f"{made.runtime.workdir}/exec.pid"
    made.runtime.ok("exec", "--process", path, "--detach", "--pid-file", pid_file, made.id)
    assert os.path.getsize(pid_file) > 0


def test_there_are_documents_of_every_engine():
    engines = {name.split("-")[0] for name in CONFIGS}
    assert engines == {"cri", "ctr", "docker", "docker26", "podman", "podman5"}
    assert len(CONFIGS) >= 22 and len(PROCESSES) >= 7
