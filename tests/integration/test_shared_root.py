# SPDX-License-Identifier: Apache-2.0
"""A host whose root is a shared mount, as systemd makes it: mounts of a container stay in it."""

import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("unshare"), reason="unshare is not installed")

# What is mounted on the host, without the ids that change.
MOUNTS = "cut -d' ' -f3-5 /proc/self/mountinfo | sort"


def on_a_shared_root(made, script):
    """Runs a shell script in a mount namespace of its own whose root, with all that is below, is shared."""
    made.bundle.write()
    begin = f"mount --make-rshared / && {MOUNTS} >before && "
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", begin + script],
        cwd=made.runtime.workdir, env=made.runtime.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


def test_D27_nothing_that_a_container_mounts_is_seen_on_the_host(container, tmp_path):
    made = container(shell="mkdir /in; mount -t tmpfs inside /in; echo $? >/volume/mounted; exec sleep 100")
    os.mkfifo(tmp_path / "mounted")
    made.bundle.capabilities("CAP_SYS_ADMIN")
    made.bundle.writable()
    made.bundle.mount("/volume", str(tmp_path), "rbind", "nosuid")
    run = " ".join(made.runtime.argv())
    wait = f'read status <{tmp_path}/mounted && test "$status" = 0'
    seen = on_a_shared_root(
        made,
        f"{run} run -d --bundle {made.bundle.path} {made.id} >/dev/null 2>&1 </dev/null && {wait} && "
        f"{MOUNTS} >during && {run} delete --force {made.id} && {MOUNTS} >after && "
        "diff before during && diff before after && echo same",
    )
    assert seen == "same\n"


def test_D27_what_the_host_mounts_later_is_not_seen_in_the_container(container, tmp_path):
    made = container("sleep", "100")
    (tmp_path / "below").mkdir()
    made.bundle.mount("/volume", str(tmp_path), "rbind", "rprivate")
    run = " ".join(made.runtime.argv())
    seen = on_a_shared_root(
        made,
        f"{run} run -d --bundle {made.bundle.path} {made.id} >/dev/null 2>&1 </dev/null && "
        f"mount -t tmpfs later {tmp_path}/below && touch {tmp_path}/below/mark && "
        f"{run} exec {made.id} ls /volume/below && umount {tmp_path}/below && {run} delete --force {made.id} && echo end",
    )
    assert seen == "end\n"


def test_D27_the_root_itself_may_be_a_shared_mount(container):
    made = container("echo", "hello")
    run = " ".join(made.runtime.argv())
    root = f"{made.bundle.path}/rootfs"
    seen = on_a_shared_root(
        made,
        f"mount --bind {root} {root} && mount --make-shared {root} && {MOUNTS} >before && "
        f"{run} run --bundle {made.bundle.path} {made.id} </dev/null && {MOUNTS} >after && diff before after && echo same",
    )
    assert seen == "hello\nsame\n"
