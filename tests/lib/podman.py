# SPDX-License-Identifier: Apache-2.0
"""Podman with a storage of the tests' own. There is no daemon: conmon watches each container."""

import os
import shutil

from lib import system
from lib.engine import Box, Engine, docker_archive, image

IMAGE = "localhost/box:1"

# Limits that may be set without CAP_SYS_RESOURCE, too.
CONFIG = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "{cgroups}"
events_logger = "file"
runtime_supports_json = ["runlxc", "runc"]
{init}
[engine.runtimes]
runlxc = ["{runlxc}"]
runc = ["{runc}"]
[network]
network_backend = "{network}"
network_config_dir = "{directory}/networks"
"""


class Podman(Engine):
    cgroups = "cgroupfs"

    def __init__(self, place, busybox):
        super().__init__(place)
        self.directory = f"{place.directory}/podman"
        self.cgroup_parent = f"/{self.token}-podman"
        os.makedirs(f"{self.directory}/networks", exist_ok=True)
        init = shutil.which("docker-init") or shutil.which("tini")
        netavark = any(os.path.exists(f"{top}/podman/netavark") for top in ("/usr/lib", "/usr/libexec"))
        with open(f"{self.directory}/containers.conf", "w", encoding="utf-8") as file:
            file.write(
                CONFIG.format(
                    **self.runtimes,
                    cgroups=self.cgroups,
                    directory=self.directory,
                    network="netavark" if netavark else "cni",
                    init=f'init_path = "{init}"' if init else "",
                )
            )
        self.environment = dict(
            place.environment,
            CONTAINERS_CONF=f"{self.directory}/containers.conf",
            PODMAN_IGNORE_CGROUPSV1_WARNING="1",  # Podman 5 has it with the time in it
        )
        archive = f"{self.directory}/image.tar"
        with open(archive, "wb") as file:
            file.write(docker_archive(image(busybox), IMAGE))
        self.ok("load", "--input", archive)

    def storage(self):
        return ["--root", f"{self.directory}/root", "--runroot", f"{self.directory}/run", "--storage-driver", "overlay"]

    def argv(self, *args):
        return [*self.place.enter, "podman", *self.storage(), *map(str, args)]

    def __call__(self, *args, **options):
        return super().__call__(*args, env=self.environment, **options)

    def run_argv(self, runtime, *args):
        parent = [] if "--cgroups" in args else ["--cgroup-parent", self.cgroup_parent]
        return self.argv("--runtime", runtime, "run", *parent, *args)

    def run(self, runtime, flags, args, **options):
        argv = self.run_argv(runtime, "--rm", *flags, IMAGE, *args)
        return self.place.run(argv, env=self.environment, **options)

    def up(self, runtime, flags, *args):
        name = self.name()
        # conmon stays, and what it inherits with it.
        argv = self.run_argv(runtime, "--detach", "--name", name, *flags, IMAGE, *args)
        done = self.place.run(argv, env=self.environment)
        assert done.status == 0, f"failed: {done}"
        return Box(self, name)

    def clear(self):
        self("pod", "rm", "--all", "--force", "--time", "0")
        while ids := self.ok("ps", "--all", "--quiet").split():
            self.ok("rm", "--force", "--depend", "--volumes", "--time", "0", ids[0])

    def left(self):
        found = [f"container {line}" for line in self.ok("ps", "--all").splitlines()[1:]]
        monitors = [line for line in self.place.members().values() if "conmon" in line and self.directory in line]
        found += [f"process {line}" for line in monitors]
        kept = (self.cgroup_parent, f"{self.cgroup_parent}/conmon")
        for mount_point in system.cgroup_hierarchies().values():
            for directory, _, _ in os.walk(mount_point + self.cgroup_parent):
                if directory.removeprefix(mount_point) not in kept:
                    found.append(f"cgroup {directory}")
        for runtime in ("runlxc", "runc"):
            listed = self.place.inside("sh", "-c", f"cd /run/{runtime} && ls")
            found += [f"state /run/{runtime}/{name}" for name in listed.stdout.split() if not name.startswith("@")]
        return found

    def close(self):
        try:
            self.clear()
            self.place.inside("umount", "-R", f"{self.directory}/root/overlay")
        finally:
            system.cgroup_remove(self.cgroup_parent)
            for mount_point in system.cgroup_hierarchies().values():
                # Podman's own default, which others may use at the same time.
                for path in ("libpod_parent/conmon", "libpod_parent", "buildah"):
                    try:
                        os.rmdir(f"{mount_point}/{path}")
                    except OSError:
                        pass
