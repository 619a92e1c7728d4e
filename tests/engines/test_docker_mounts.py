# SPDX-License-Identifier: Apache-2.0
"""docker run: volumes, mounts, the read-only root."""

import os

import pytest

from lib.system import wait_until


@pytest.fixture
def files(docker):
    """A directory of the host's with a file in it."""
    path = f"{docker.directory}/files-{docker.name()}"
    os.makedirs(f"{path}/sub")
    with open(f"{path}/file", "w", encoding="utf-8") as file:
        file.write("of the host\n")
    return path


def test_a_volume_is_written_and_a_read_only_one_is_not(docker, files):
    script = "cat /v/file; echo $$ >/v/new 2>&1; ls /v"
    docker.same(["-v", f"{files}:/v:ro"], "sh", "-c", f"{{ {script}; }} 2>&1",
                output="of the host\nsh: can't create /v/new: Read-only file system\nfile\nsub\n")
    docker.same(["-v", f"{files}:/v"], "sh", "-c", script, output="of the host\nfile\nnew\nsub\n")


@pytest.mark.full
def test_a_single_file(docker, files):
    docker.same(
        ["-v", f"{files}/file:/etc/motd:ro"],
        "sh",
        "-c",
        "cat /etc/motd; test -f /etc/motd; echo $?",
        output="of the host\n0\n",
    )


@pytest.mark.parametrize(
    "where", ["link", pytest.param("absolute", marks=pytest.mark.full), pytest.param("outside", marks=pytest.mark.full)]
)
def test_a_volume_over_a_symlink_is_where_it_leads_inside(docker, files, where):
    docker.same(
        ["-v", f"{files}:/{where}/deep"],
        "sh",
        "-c",
        "cat /real/inner/deep/file; grep -c ' /real/inner/deep ' /proc/mounts",
        output="of the host\n1\n",
    )


@pytest.mark.full
def test_a_volume_on_the_symlink_itself(docker, files):
    docker.same(["-v", f"{files}:/link"], "sh", "-c", "cat /real/inner/file /link/file", output="of the host\n" * 2)


@pytest.mark.full
def test_volumes_in_volumes(docker, files):
    docker.same(
        ["-v", f"{files}:/v", "-v", f"{files}/file:/v/sub/inner:ro", "--tmpfs", "/v/sub/tmp"],
        "sh",
        "-c",
        "find /v | sort; grep ' /v' /proc/mounts | cut -d' ' -f2,3 | sort",
    )


@pytest.mark.full
def test_a_named_volume_is_filled_from_the_image(docker):
    def scenario(runtime):
        volume = docker.name()
        first = docker.run(runtime, ["-v", f"{volume}:/etc"], ["sh", "-c", "echo more >/etc/more; cat /etc/group"])
        second = docker.run(runtime, ["-v", f"{volume}:/other"], ["sh", "-c", "cat /other/more; ls /other"])
        docker.ok("volume", "rm", volume)
        return first.stdout, second.stdout

    assert docker.both(scenario)[1].startswith("more\n")


@pytest.mark.full
def test_volumes_from_another_container(docker):
    def scenario(runtime):
        first = docker.up(runtime, ["-v", "/kept"], "sh", "-c", "echo x >/kept/file; exec sleep 100")
        wait_until(lambda: first.exec([], "cat", "/kept/file").stdout == "x\n", "it is written")
        return docker.run(runtime, ["--volumes-from", first.name], ["cat", "/kept/file"]).stdout

    assert docker.both(scenario) == "x\n"


def test_the_read_only_root(docker):
    script = "for place in / /etc /dev/shm /t /proc/sys; do touch $place/file 2>/dev/null && echo $place; done; true"
    docker.same(["--read-only", "--tmpfs", "/t"], "sh", "-c", script, output="/dev/shm\n/t\n")


def test_a_tmpfs_with_options(docker):
    options = "size=2m,mode=1770,uid=1000,gid=2000,noexec"
    docker.same(
        ["--tmpfs", f"/t:{options}"],
        "sh",
        "-c",
        "ls -ldn /t | cut -c1-30; grep ' /t ' /proc/mounts | cut -d' ' -f2,3,4",
    )


MOUNTS = {
    "bind": "type=bind,src={files},dst=/m",
    "bind read-only": "type=bind,src={files},dst=/m,readonly",
    "bind not recursive": "type=bind,src={files},dst=/m,bind-nonrecursive=true",
    "tmpfs": "type=tmpfs,dst=/m,tmpfs-size=1048576,tmpfs-mode=1700",
    "volume": "type=volume,dst=/m",
    "volume without copy": "type=volume,dst=/etc,volume-nocopy=true",
}


@pytest.mark.full
@pytest.mark.parametrize("kind", MOUNTS)
def test_mount_of_every_type(docker, files, kind):
    script = (
        "ls -l /m/file; ls -ld /m/. | cut -c1-10; ls /etc; touch /m/new && echo written && rm /m/new; "
        "grep -E ' (/m|/etc) ' /proc/mounts | cut -d' ' -f2,3,4"
    )
    docker.same(["--mount", MOUNTS[kind].format(files=files)], "sh", "-c", f"{{ {script}; }} 2>&1; true")


@pytest.mark.full
@pytest.mark.parametrize("propagation", ["private", "rprivate", "shared", "rshared", "slave", "rslave"])
def test_propagation(docker, files, propagation):
    """What the host mounts below the volume later is seen inside, or not."""

    def scenario(runtime):
        below = f"{files}/{runtime}"
        os.mkdir(below)
        docker.place.inside("mount", "--bind", below, below)
        docker.place.inside("mount", "--make-shared", below)
        try:
            box = docker.up(runtime, ["-v", f"{below}:/v:{propagation}"], "sleep", "100")
            os.mkdir(f"{below}/late")
            docker.place.inside("mount", "-t", "tmpfs", "late", f"{below}/late")
            seen = box.exec_ok([], "sh", "-c", "grep -c ' /v/late ' /proc/mounts; true")
            kind = box.exec_ok(
                [], "sh", "-c", "grep ' /v ' /proc/self/mountinfo | grep -oE 'shared:|master:' | sort -u"
            )
            box.ok("rm", "--force")
            return seen, kind
        finally:
            docker.place.inside("umount", "-R", below)

    seen = docker.both(scenario)[0]
    assert seen == ("0" if "private" in propagation else "1")


@pytest.mark.full
def test_a_mount_made_inside_is_not_seen_outside(docker, files):
    def scenario(runtime):
        below = f"{files}/{runtime}-in"
        os.makedirs(f"{below}/new")
        docker.place.inside("mount", "--bind", below, below)
        docker.place.inside("mount", "--make-shared", below)
        try:
            flags = ["--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", "-v"]
            found = []
            for propagation in ("rslave", "rshared"):
                box = docker.up(runtime, [*flags, f"{below}:/v:{propagation}"], "sleep", "100")
                box.exec_ok([], "mount", "-t", "tmpfs", "inner", "/v/new")
                mounts = docker.place.inside("cat", "/proc/self/mounts").stdout
                found.append(f"{below}/new" in mounts)
                box.ok("rm", "--force")
            return found
        finally:
            docker.place.inside("umount", "-R", below)

    assert docker.both(scenario) == [False, True]


@pytest.mark.full
def test_a_missing_source_is_made_by_v_and_refused_by_mount(docker, files):
    docker.same(["-v", f"{files}/made:/m"], "ls", "-d", "/m", output="/m\n")
    docker.same(["--mount", f"type=bind,src={files}/missing,dst=/m"], "true", status=125)


@pytest.mark.full
def test_what_must_not_be_covered_is_refused(docker, files):
    docker.same(["-v", f"{files}:/proc"], "true", status=125)
    docker.same(["-v", f"{files}:/proc/self"], "true", status=125)


@pytest.mark.full
def test_the_files_that_docker_brings(docker):
    docker.same(
        ["--hostname", "box", "--domainname", "example.org", "--dns", "10.1.1.1", "--add-host", "a:10.2.2.2"],
        "sh",
        "-c",
        "cat /etc/hostname /etc/resolv.conf; grep -v 172 /etc/hosts; hostname; cat /proc/sys/kernel/domainname",
    )


@pytest.mark.full
def test_the_devices_directory(docker):
    docker.same(
        [],
        "sh",
        "-c",
        "ls -ln /dev | awk 'NR>1 {print $1, $3, $4, $5, $6 == \"1,\", $NF}' | grep -v ' 5  *'; ls -ld /dev/shm "
        "/dev/mqueue /dev/pts | cut -c1-10; grep ' /dev' /proc/mounts | cut -d' ' -f2,3,4 | sort",
    )
