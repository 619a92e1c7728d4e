# SPDX-License-Identifier: Apache-2.0
"""docs/engines: what the pages tell an operator to do is done, as it stands there, and what they say comes of it."""

import itertools
import json
import re
import shutil
import subprocess
import tomllib

import pytest

from lib import engine, pages

pytestmark = [pytest.mark.ours, pytest.mark.limit(240)]

_numbers = itertools.count(1)

LIMITS = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
log_driver = "k8s-file"
[engine]
events_logger = "file"
"""


@pytest.fixture
def machine(request, session_directory, token):
    engine.need("nsenter", "unshare", "ip")
    directory = f"{session_directory}/pages{next(_numbers)}"
    made = pages.Machine(directory, token, request.config.command, f"{session_directory}/busybox")
    yield made
    left = made.close()
    assert not left, f"processes left behind by the engines: {left}"


@pytest.fixture
def docker_machine(machine):
    engine.need("dockerd", "docker", "containerd", "iptables")
    machine.start_docker()
    machine.load("busybox:latest", "docker")
    return machine


@pytest.fixture
def containerd_machine(machine):
    engine.need("containerd", "ctr", "containerd-shim-runc-v2", "runc")
    machine.start_containerd()
    machine.load("docker.io/library/busybox:latest", "containerd")
    return machine


def test_docker(docker_machine):
    docker_machine.follow(pages.blocks("docker"))


@pytest.mark.full
def test_swarm(docker_machine):
    docker_machine.follow(pages.blocks("swarm"))


def test_containerd(containerd_machine):
    containerd_machine.follow(pages.blocks("containerd"))


def test_podman(machine):
    engine.need("podman", "conmon", "buildah")
    # Where the machine lacks CAP_SYS_RESOURCE, limits can't be raised; and there is no journal.
    machine.must("mkdir -p /etc/containers/containers.conf.d; cat >$_/tests.conf", stdin=LIMITS.encode())
    machine.load("docker.io/library/busybox:latest", "podman")
    machine.follow(pages.blocks("podman"))


# ---- Kubernetes ----


def _kubernetes_part(machine):
    """Does what kubelet and scheduler do with the page's YAML, over CRI."""
    from lib import cri  # pylint: disable=import-outside-toplevel

    pods = []

    def cluster(text):
        yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")
        runtime_class, pod = yaml.safe_load_all(text)
        assert (runtime_class["kind"], pod["kind"]) == ("RuntimeClass", "Pod")
        assert pod["spec"]["runtimeClassName"] == runtime_class["metadata"]["name"]
        (wanted,) = pod["spec"]["containers"]
        with cri.MachineCri(machine, [wanted["image"]]) as node:
            made = node.pod(runtime_class["handler"])
            box = made.container(*wanted["command"], image={"image": wanted["image"]}).start()
            assert box.status.state == cri.RUNNING
            assert box.exec("echo", "hello") == (0, "hello\n", "")
            pods.append(made)

    return pods, cluster


def test_kubernetes(machine):
    engine.need("containerd", "ctr", "containerd-shim-runc-v2", "runc")
    pytest.importorskip("grpc", reason="python3-grpcio is not installed")
    from lib import cri  # pylint: disable=import-outside-toplevel

    machine.start_containerd()
    machine.load(cri.default_pause(machine), "k8s.io", ("sleep", "1000000"))
    machine.load("docker.io/library/busybox:latest", "k8s.io")
    pods, cluster = _kubernetes_part(machine)
    page = pages.blocks("kubernetes")
    # The pod goes when the page says that it must.
    until = next(number for number, block in enumerate(page) if "kubectl delete" in block.text)
    machine.follow(page[:until], cluster)
    with cri.MachineCri(machine, []) as node:
        node.clear()
    machine.follow(page[until:], cluster)
    assert len(pods) == 1


def test_crio_gets_what_it_knows():
    """Read only: CRI-O isn't in Debian 12. The keys are those of crio.conf(5)."""
    (block,) = [block for block in pages.blocks("kubernetes") if block.kind == "toml" and "crio" in block.file]
    runtime = tomllib.loads(block.text)["crio"]["runtime"]
    assert set(runtime) == {"cgroup_manager", "conmon_cgroup", "runtimes"}
    assert runtime["runtimes"]["runlxc"] == {
        "runtime_path": "/usr/local/bin/runlxc",
        "runtime_type": "oci",
        "runtime_root": "/run/runlxc",
    }


def test_kubectl_reads_the_yaml():
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    (block,) = [block for block in pages.blocks("kubernetes") if block.kind == "yaml"]

    def local(*args, text):
        argv = ["kubectl", *args, "--local", "-f", "-", "-o", "json"]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    runtime_class, pod = block.text.split("---\n")
    assert local("label", "a=b", text=runtime_class)["handler"] == "runlxc"
    # Read into kubectl's own type, and written from that.
    read = local("set", "image", "box=other", text=pod)
    assert read["spec"]["runtimeClassName"] == "runlxc"
    assert read["spec"]["containers"][0]["image"] == "other"


# ---- Nomad ----


def _hcl(text):
    return pytest.importorskip("hcl", reason="python3-pyhcl is not installed").loads(text)


@pytest.mark.full
def test_nomad(docker_machine):
    """Docker's part as it stands; of Nomad's what its driver asks Docker for."""
    page = pages.blocks("nomad")
    docker_machine.load("busybox:1", "docker")
    (allowed,) = [_hcl(block.text)["plugin"]["docker"]["config"] for block in page if '"docker" {' in block.text]
    jobs = []

    def cluster(text):
        task = _hcl(text)["job"]["box"]["group"]["box"]["task"]["box"]
        assert task["driver"] == "docker"
        wanted = task["config"]
        assert wanted["runtime"] in allowed["allow_runtimes"]
        words = ["--runtime", wanted["runtime"], wanted["image"], wanted["command"], *wanted["args"]]
        docker_machine.must(f"docker run --detach {' '.join(words)}")
        jobs.append(wanted)

    docker_machine.follow(page, cluster)
    assert len(jobs) == 1


def test_the_plugin_for_containerd_is_read():
    (block,) = [block for block in pages.blocks("nomad") if "containerd-driver" in block.text]
    config = _hcl(block.text)["plugin"]["containerd-driver"]["config"]
    assert config == {"enabled": True, "containerd_runtime": "io.containerd.runc.v2"}


def test_nomad_validates_the_job(workdir):
    if not shutil.which("nomad"):
        pytest.skip("nomad is not installed: its files were read by a parser only")
    (block,) = [block for block in pages.blocks("nomad") if block.text.startswith("job ")]
    with open(f"{workdir}/box.hcl", "w", encoding="utf-8") as file:
        file.write(block.text)
    subprocess.run(["nomad", "job", "validate", f"{workdir}/box.hcl"], check=True, timeout=50, stdin=subprocess.DEVNULL)


# ---- the pages themselves ----


@pytest.mark.parametrize("program", pages.ELSEWHERE)
def test_what_is_not_run(program):
    """Not a test, but a word about what was left out."""
    lines = [
        line
        for name in pages.names()
        for block in pages.blocks(name.removesuffix(".md"))
        if program in block.of_elsewhere()
        for line in block.commands()
    ]
    assert lines
    pytest.skip(f"there is no {'cluster' if program == 'kubectl' else program} here; not run: {'; '.join(lines)}")


def test_every_page_is_followed():
    names = {name.removesuffix(".md") for name in pages.names()}
    with open(__file__, encoding="utf-8") as file:
        assert names == set(re.findall(r"pages\.blocks\(\"(\w+)\"\)", file.read()))


@pytest.mark.parametrize("name", pages.names())
def test_links_lead_somewhere(name):
    for link in re.findall(r"\]\(([^)]*)\)", pages.text(name)):
        page, _, place = link.partition("#")
        headings = re.findall(r"^#+ (.*)$", pages.text(page or name), flags=re.M)
        assert not place or place in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
