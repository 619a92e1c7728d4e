# SPDX-License-Identifier: Apache-2.0
"""buildah: RUN steps, and `buildah run`, with Podman's storage."""

import os

import pytest

from lib import engine
from lib.podman import IMAGE
from lib.terminal import UserTerminal


@pytest.fixture
def buildah(podman):
    engine.need("buildah")

    def call(*args, status=0, **options):
        argv = [*podman.place.enter, "buildah", *podman.storage(), *map(str, args)]
        done = podman.place.run(argv, env=podman.environment, **options)
        assert status is None or done.status == status, done
        return done

    yield call
    call("rm", "--all")


def _working_container(buildah):
    return buildah("from", "--pull-never", IMAGE).stdout.strip()


def _run(buildah, podman, runtime, flags, *args, **options):
    made = _working_container(buildah)
    return buildah("run", "--runtime", podman.runtimes[runtime], *flags, made, *args, status=None, **options)


@pytest.mark.parametrize("code", [0, pytest.param(3, marks=pytest.mark.full)])
def test_run_gives_output_and_status(buildah, podman, code):
    def scenario(runtime):
        done = _run(buildah, podman, runtime, [], "sh", "-c", f"echo out; exit {code}")
        return done.status, done.stdout

    assert podman.both(scenario) == (code, "out\n")


@pytest.mark.full
def test_a_program_that_is_not_there(buildah, podman):
    assert podman.both(lambda runtime: _run(buildah, podman, runtime, [], "no-such-program").status) != 0


@pytest.mark.full
@pytest.mark.parametrize(
    "flags,script",
    [
        (["--user", "alice"], "id; echo $HOME"),
        (["--cap-drop", "all", "--cap-add", "CAP_NET_ADMIN"], "grep ^Cap /proc/self/status"),
        (["--hostname", "box"], "hostname"),
        (["--network", "none"], "ls /sys/class/net"),
        (["--env", "A=b"], "env | sort | grep -v HOSTNAME"),
        (["--workingdir", "/real"], "pwd"),
        (["--volume", "/etc:/link/deep:ro"], "test -f /real/inner/deep/passwd; echo $?"),
        (["--mount", "type=tmpfs,dst=/m"], "grep ' /m ' /proc/mounts | cut -d' ' -f2,3"),
        (["--isolation", "oci"], "grep ^Seccomp: /proc/self/status; cat /proc/self/limits"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_flags(buildah, podman, flags, script):
    def scenario(runtime):
        done = _run(buildah, podman, runtime, flags, "sh", "-c", script)
        return done.status, done.stdout, done.stderr

    assert podman.both(scenario)[0] == 0


@pytest.mark.full
def test_standard_input(buildah, podman):
    assert podman.both(lambda runtime: _run(buildah, podman, runtime, [], "cat", stdin=b"in\n").stdout) == "in\n"


@pytest.mark.full
def test_a_terminal(buildah, podman):
    def scenario(runtime):
        made = _working_container(buildah)
        argv = [
            *podman.place.enter,
            "buildah",
            *podman.storage(),
            "run",
            "--runtime",
            podman.runtimes[runtime],
            "--tty",
            made,
            "sh",
            "-c",
            "test -t 0 && echo tty; exit 6",
        ]
        with UserTerminal() as user:
            user.run(argv, podman.environment)
            status = user.wait()
            return status, "tty" in user.screen

    assert podman.both(scenario) == (6, True)


def test_a_build_with_run_steps(buildah, podman):
    directory = f"{podman.directory}/build-{podman.name()}"
    os.mkdir(directory)
    with open(f"{directory}/Containerfile", "w", encoding="utf-8") as file:
        file.write(
            f"FROM {IMAGE}\nARG word\nRUN echo $word >/built && chown alice /built\nUSER alice\nWORKDIR /home/alice\n"
            "RUN id >who && pwd >>who\n"
            "RUN --mount=type=tmpfs,target=/cache touch /cache/x && ls /cache >cache\n"
        )

    def scenario(runtime):
        tag = f"localhost/built-{runtime}:1"
        buildah(
            "bud",
            "--pull-never",
            "--runtime",
            podman.runtimes[runtime],
            "--build-arg",
            "word=hello",
            "--tag",
            tag,
            directory,
        )
        made = buildah("from", "--pull-never", tag).stdout.strip()
        done = buildah(
            "run", "--runtime", podman.runtimes[runtime], made, "sh", "-c", "cat /built who cache; stat -c %U /built"
        )
        buildah("rm", made)
        buildah("rmi", tag)
        return done.stdout

    assert podman.both(scenario).startswith("hello\nuid=1000(alice) gid=1000(alice)")


@pytest.mark.full
def test_a_step_that_fails_fails_the_build(buildah, podman):
    directory = f"{podman.directory}/build-{podman.name()}"
    os.mkdir(directory)
    with open(f"{directory}/Containerfile", "w", encoding="utf-8") as file:
        file.write(f"FROM {IMAGE}\nRUN exit 5\n")
    podman.both(
        lambda runtime: buildah(
            "bud", "--pull-never", "--runtime", podman.runtimes[runtime], directory, status=None
        ).status,
    )
