# SPDX-License-Identifier: Apache-2.0
"""Raw LXC settings through engines: where the operator has allowed the key in /etc/runlxc.conf, and nowhere else."""

import json

import pytest


OPERATORS_FILE = "/etc/runlxc.conf"
ANNOTATION = "org.linuxcontainers.lxc.environment"
SHOW = ["sh", "-c", "echo ${RAW:-nothing}"]


@pytest.fixture
def allowing(place):
    """Writes the operator's file, in the namespaces of the engines alone."""

    def allow(*keys):
        done = place.run([*place.enter, "sh", "-c", f"cat >{OPERATORS_FILE}"], stdin=json.dumps({"lxc_annotations": keys}).encode())
        assert done.status == 0, done

    yield allow
    place.run([*place.enter, "rm", "-f", OPERATORS_FILE])


def podman_run(podman):
    return podman.run("runlxc", ["--annotation", f"{ANNOTATION}=RAW=yes"], SHOW)


def containerd_run(containerd):
    return containerd.run("runlxc", ["--annotation", f"{ANNOTATION}=RAW=yes"], SHOW)


def docker_run(docker):
    if "--annotation" not in docker.ok("run", "--help"):
        pytest.skip("this version of docker run has no --annotation")
    return docker.run("runlxc", ["--annotation", f"{ANNOTATION}=RAW=yes"], SHOW)


@pytest.mark.parametrize(("engine", "run"), [("podman", podman_run), ("containerd", containerd_run), ("docker", docker_run)])
def test_a_key_that_is_allowed_and_one_that_is_not(request, allowing, engine, run):
    engine = request.getfixturevalue(engine)
    refused = run(engine)
    assert refused.status != 0 and refused.stdout == ""
    assert ANNOTATION in refused.stderr and OPERATORS_FILE in refused.stderr, refused
    allowing("lxc.uts.name")
    refused = run(engine)
    assert refused.status != 0 and ANNOTATION in refused.stderr, refused
    allowing("lxc.uts.name", "lxc.environment")
    allowed = run(engine)
    assert (allowed.status, allowed.stdout) == (0, "yes\n"), allowed


def test_a_pods_annotation(cri, allowing):
    import grpc  # pylint: disable=import-outside-toplevel

    annotations = [{"key": ANNOTATION, "value": "RAW=yes"}]
    with pytest.raises(grpc.RpcError) as failed:
        cri.pod("runlxc", annotations=annotations)
    assert ANNOTATION in failed.value.details() and OPERATORS_FILE in failed.value.details()
    allowing("lxc.environment")
    box = cri.pod("runlxc", annotations=annotations).container(*SHOW).start()
    assert box.ended()[0] == 0 and box.logged() == ["yes"]
