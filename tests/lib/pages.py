# SPDX-License-Identifier: Apache-2.0
"""The pages in docs/engines, as a reader follows them: from top to bottom, each fenced block as it stands.

json, toml, hcl, ini    is put into the file that the text before it names last: `/etc/…`. JSON replaces what is
                        there, the others are added at its end.
yaml, and a job's hcl   is handed to the test, which is Kubernetes or Nomad then.
sh                      is run, by bash and to its first failure; but not if it calls what is ELSEWHERE.
text                    is what that must have printed; "…" stands for anything.
"""

import os
import re
import signal
import subprocess

from lib.engine import Place, docker_archive, image
from lib.system import cgroup_hierarchies, cgroup_remove, process_alive, wait_until

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.M | re.S)

# Programs that need a cluster, or are no part of Debian 12.
ELSEWHERE = ("crio", "kubectl", "nomad")


class Block:
    def __init__(self, kind, text, before):
        self.kind, self.text = kind, text
        paths = re.findall(r"`(/etc/[^`]*)`", before)
        self.file = paths[-1] if paths else None

    def commands(self):
        """What is run, without the lines that go on."""
        return [line for line in self.text.splitlines() if line and not line.startswith((" ", "\t", "#"))]

    def of_elsewhere(self):
        return {line.split()[0] for line in self.commands()} & set(ELSEWHERE)


def names():
    return sorted(os.listdir(f"{REPOSITORY}/docs/engines"))


def text(name):
    with open(f"{REPOSITORY}/docs/engines/{name}", encoding="utf-8") as file:
        return file.read()


def blocks(name):
    page = text(f"{name}.md")
    assert not re.search(r"^    \S", FENCE.sub("", page), flags=re.M), "a block without a fence isn't tested"
    found, end = [], 0
    for match in FENCE.finditer(page):
        found.append(Block(match[1], match[2], page[end : match.start()]))
        end = match.end()
    return found


def matches(expected, printed):
    """Whether this was printed, with "…" for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), printed, flags=re.S) is not None


class Machine(Place):
    """A machine with the engines at their usual places, and runlxc where `make install` puts it."""

    def __init__(self, directory, token, command, busybox):
        super().__init__(directory, token, command, "etc usr var")
        self.busybox = busybox
        self.units = {}
        self.cgroup_parent = f"/{token}-pages"
        # Storages don't work on an overlay.
        for name in ("docker", "containerd", "containers"):
            self.must(f"mkdir -p {directory}/{name} /var/lib/{name}; mount --bind {directory}/{name} /var/lib/{name}")
        self.must(f"install -m 755 {command} /usr/local/bin/runlxc")
        self.must("echo nameserver 127.0.0.1 >/etc/resolv.conf")  # where nobody answers: a pull fails at once

    def must(self, script, **options):
        done = self.inside("bash", "-c", script, **options)
        assert done.status == 0, done
        return done.stdout

    # -- the daemons; systemd's part

    def start(self, unit, argv, answers, environment=()):
        with open(f"{self.directory}/{unit}.log", "ab") as log:
            process = subprocess.Popen(
                [*self.enter, *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment, **dict(environment)),
            )
        self.units[unit] = process, argv, answers

        def ready():
            assert process.poll() is None, f"{unit} has ended:\n{self.log(unit)[-3000:]}"
            return self.inside(*answers).status == 0

        wait_until(ready, f"{unit} answers")

    def log(self, unit):
        with open(f"{self.directory}/{unit}.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def start_docker(self):
        flags = ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.cgroup_parent]
        self.start("docker", ["dockerd", *flags], ["docker", "version"])

    def start_containerd(self):
        # This machine may lack CAP_SYS_RESOURCE, without which a score can't be lowered.
        self.must("sed -i '/grpc.v1.cri\"]$/a restrict_oom_score_adj = true' /etc/containerd/config.toml")
        self.start("containerd", ["containerd"], ["ctr", "version"])

    def stop(self, unit):
        process = self.units.pop(unit)[0]
        process.terminate()
        process.wait(30)

    def systemctl(self, verb, unit=None):
        """What systemd does for these units."""
        if verb == "daemon-reload":
            return
        process, argv, answers = self.units[unit]
        if verb == "reload":
            before = self.log(unit).count("Reloaded configuration")
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.log(unit).count("Reloaded configuration") > before, f"{unit} has read its file")
        else:
            assert verb == "restart", verb
            self.stop(unit)
            self.start(unit, argv, answers, self._drop_in(unit))

    def _drop_in(self, unit):
        """Environment= of the unit's drop-ins."""
        lines = self.inside("sh", "-c", f"cat /etc/systemd/system/{unit}.service.d/*.conf").stdout.splitlines()
        return [line.split("=", 2)[1:] for line in lines if line.startswith("Environment=")]

    # -- images, which the registry has in the reader's world

    def load(self, name, into, command=("sh",)):
        loads = {
            "containerd": "ctr images import -",
            "docker": "docker load",
            "k8s.io": "ctr --namespace k8s.io images import -",
            "podman": "podman load",
        }
        self.must(loads[into], stdin=docker_archive(image(self.busybox), name, command))

    # -- the page

    def follow(self, page, cluster=None):
        """cluster(text) does with a YAML or a job's HCL what the page's reader leaves to Kubernetes or Nomad."""
        waiting = None  # what was printed and not compared yet
        for block in page:
            if block.kind == "text":
                assert waiting is not None, f"nothing is there that would print {block.text!r}"
                assert matches(block.text, waiting), f"the page says:\n{block.text}printed was:\n{waiting}"
                waiting = None
            elif block.kind == "sh":
                waiting = self._run(block)
            elif block.kind == "yaml":
                cluster(block.text)
            elif block.file:
                self._write(block)
                if block.text.startswith("job "):
                    cluster(block.text)

    def _write(self, block):
        redirection = ">" if block.kind == "json" else ">>"
        self.must(f"mkdir -p {os.path.dirname(block.file)}; cat {redirection}{block.file}", stdin=block.text.encode())

    def _run(self, block):
        """What it prints; None if it isn't run."""
        if block.of_elsewhere():
            return None
        printed, script = "", ""
        for line in block.text.splitlines():
            if line.startswith("systemctl "):
                printed += self._script(script)
                script = ""
                self.systemctl(*line.split()[1:])
            elif re.match(r"(docker|podman|ctr image) pull ", line):
                assert "busybox" in line, f"the test has loaded no such image: {line}"
            else:
                script += f"{line}\n"
        return printed + self._script(script)

    def _script(self, script):
        if not script.strip():
            return ""
        done = self.inside("bash", "-e", "-c", script, timeout=90)
        assert done.status == 0, f"{script}{done}"
        return done.stdout

    def close(self):
        for unit in list(self.units):
            self.stop(unit)
        wait_until(lambda: all("shim" in line for line in self.members().values()), "the daemons have ended", 10)
        left = super().close()
        wait_until(lambda: not any(process_alive(pid) for pid in left), "those left over have ended", 10)
        cgroup_remove(self.cgroup_parent)
        for mount_point in cgroup_hierarchies().values():
            for path in ("default", "k8s.io", "libpod_parent/conmon", "libpod_parent", "buildah"):
                try:
                    os.rmdir(f"{mount_point}/{path}")
                except OSError:
                    pass
        return left
