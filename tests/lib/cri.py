# SPDX-License-Identifier: Apache-2.0
"""containerd's CRI, spoken to as Kubernetes does: gRPC over its socket."""

import glob
import os
import re

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from lib.containerd import IMAGE, Containerd
from lib.engine import Engine, docker_archive, image
from lib.system import cgroup_hierarchies, wait_until

PAUSE = "docker.io/library/pause:1"

# The messages of k8s.io/cri-api's runtime/v1/api.proto that are used here, and of them the fields that are: name,
# number and type. "*" is for repeated.
MESSAGES = {
    "Int64Value": [("value", 1, "int64")],
    "UInt64Value": [("value", 1, "uint64")],
    "ImageSpec": [("image", 1, "string")],
    "Image": [("id", 1, "string")],
    "ImageStatusRequest": [("image", 1, "ImageSpec")],
    "ImageStatusResponse": [("image", 1, "Image")],
    "KeyValue": [("key", 1, "string"), ("value", 2, "string")],
    "Mount": [
        ("container_path", 1, "string"),
        ("host_path", 2, "string"),
        ("readonly", 3, "bool"),
        ("propagation", 5, "int32"),
    ],
    "NamespaceOption": [("network", 1, "int32"), ("pid", 2, "int32"), ("ipc", 3, "int32")],
    "SecurityProfile": [("profile_type", 1, "int32")],
    "Capability": [("add_capabilities", 1, "string*"), ("drop_capabilities", 2, "string*")],
    "LinuxSandboxSecurityContext": [("namespace_options", 1, "NamespaceOption"), ("privileged", 6, "bool")],
    "LinuxPodSandboxConfig": [("cgroup_parent", 1, "string"), ("security_context", 2, "LinuxSandboxSecurityContext")],
    "PodSandboxMetadata": [("name", 1, "string"), ("uid", 2, "string"), ("namespace", 3, "string")],
    "PodSandboxConfig": [
        ("metadata", 1, "PodSandboxMetadata"),
        ("hostname", 2, "string"),
        ("log_directory", 3, "string"),
        ("annotations", 7, "KeyValue*"),  # a map, on the wire
        ("linux", 8, "LinuxPodSandboxConfig"),
    ],
    "RunPodSandboxRequest": [("config", 1, "PodSandboxConfig"), ("runtime_handler", 2, "string")],
    "RunPodSandboxResponse": [("pod_sandbox_id", 1, "string")],
    "StopPodSandboxRequest": [("pod_sandbox_id", 1, "string")],
    "StopPodSandboxResponse": [],
    "RemovePodSandboxRequest": [("pod_sandbox_id", 1, "string")],
    "RemovePodSandboxResponse": [],
    "PodSandbox": [("id", 1, "string")],
    "ListPodSandboxRequest": [],
    "ListPodSandboxResponse": [("items", 1, "PodSandbox*")],
    "LinuxContainerResources": [
        ("cpu_period", 1, "int64"),
        ("cpu_quota", 2, "int64"),
        ("cpu_shares", 3, "int64"),
        ("memory_limit_in_bytes", 4, "int64"),
        ("oom_score_adj", 5, "int64"),
        ("cpuset_cpus", 6, "string"),
    ],
    "LinuxContainerSecurityContext": [
        ("capabilities", 1, "Capability"),
        ("privileged", 2, "bool"),
        ("namespace_options", 3, "NamespaceOption"),
        ("run_as_user", 5, "Int64Value"),
        ("run_as_username", 6, "string"),
        ("readonly_rootfs", 7, "bool"),
        ("supplemental_groups", 8, "int64*"),
        ("no_new_privs", 11, "bool"),
        ("masked_paths", 13, "string*"),
        ("readonly_paths", 14, "string*"),
        ("seccomp", 15, "SecurityProfile"),
    ],
    "LinuxContainerConfig": [
        ("resources", 1, "LinuxContainerResources"),
        ("security_context", 2, "LinuxContainerSecurityContext"),
    ],
    "ContainerMetadata": [("name", 1, "string")],
    "ContainerConfig": [
        ("metadata", 1, "ContainerMetadata"),
        ("image", 2, "ImageSpec"),
        ("command", 3, "string*"),
        ("working_dir", 5, "string"),
        ("envs", 6, "KeyValue*"),
        ("mounts", 7, "Mount*"),
        ("log_path", 11, "string"),
        ("tty", 14, "bool"),
        ("linux", 15, "LinuxContainerConfig"),
    ],
    "CreateContainerRequest": [
        ("pod_sandbox_id", 1, "string"),
        ("config", 2, "ContainerConfig"),
        ("sandbox_config", 3, "PodSandboxConfig"),
    ],
    "CreateContainerResponse": [("container_id", 1, "string")],
    "StartContainerRequest": [("container_id", 1, "string")],
    "StartContainerResponse": [],
    "StopContainerRequest": [("container_id", 1, "string"), ("timeout", 2, "int64")],
    "StopContainerResponse": [],
    "RemoveContainerRequest": [("container_id", 1, "string")],
    "RemoveContainerResponse": [],
    "ContainerStatus": [("state", 3, "int32"), ("exit_code", 7, "int32"), ("reason", 10, "string")],
    "ContainerStatusRequest": [("container_id", 1, "string")],
    "ContainerStatusResponse": [("status", 1, "ContainerStatus")],
    "UpdateContainerResourcesRequest": [("container_id", 1, "string"), ("linux", 2, "LinuxContainerResources")],
    "UpdateContainerResourcesResponse": [],
    "CpuUsage": [
        ("timestamp", 1, "int64"),
        ("usage_core_nano_seconds", 2, "UInt64Value"),
        ("usage_nano_cores", 3, "UInt64Value"),
    ],
    "MemoryUsage": [
        ("timestamp", 1, "int64"),
        ("working_set_bytes", 2, "UInt64Value"),
        ("available_bytes", 3, "UInt64Value"),
        ("usage_bytes", 4, "UInt64Value"),
        ("rss_bytes", 5, "UInt64Value"),
        ("page_faults", 6, "UInt64Value"),
        ("major_page_faults", 7, "UInt64Value"),
    ],
    "ContainerAttributes": [("id", 1, "string"), ("metadata", 2, "ContainerMetadata")],
    "ContainerStats": [
        ("attributes", 1, "ContainerAttributes"),
        ("cpu", 2, "CpuUsage"),
        ("memory", 3, "MemoryUsage"),
    ],
    "ContainerStatsRequest": [("container_id", 1, "string")],
    "ContainerStatsResponse": [("stats", 1, "ContainerStats")],
    "ContainerStatsFilter": [("id", 1, "string"), ("pod_sandbox_id", 2, "string")],
    "ListContainerStatsRequest": [("filter", 1, "ContainerStatsFilter")],
    "ListContainerStatsResponse": [("stats", 1, "ContainerStats*")],
    "ProcessUsage": [("timestamp", 1, "int64"), ("process_count", 2, "UInt64Value")],
    "LinuxPodSandboxStats": [
        ("cpu", 1, "CpuUsage"),
        ("memory", 2, "MemoryUsage"),
        ("process", 4, "ProcessUsage"),
        ("containers", 5, "ContainerStats*"),
    ],
    "PodSandboxAttributes": [("id", 1, "string"), ("metadata", 2, "PodSandboxMetadata")],
    "PodSandboxStats": [("attributes", 1, "PodSandboxAttributes"), ("linux", 2, "LinuxPodSandboxStats")],
    "PodSandboxStatsRequest": [("pod_sandbox_id", 1, "string")],
    "PodSandboxStatsResponse": [("stats", 1, "PodSandboxStats")],
    "PodSandboxStatsFilter": [("id", 1, "string")],
    "ListPodSandboxStatsRequest": [("filter", 1, "PodSandboxStatsFilter")],
    "ListPodSandboxStatsResponse": [("stats", 1, "PodSandboxStats*")],
    "ReopenContainerLogRequest": [("container_id", 1, "string")],
    "ReopenContainerLogResponse": [],
    "ExecSyncRequest": [("container_id", 1, "string"), ("cmd", 2, "string*"), ("timeout", 3, "int64")],
    "ExecSyncResponse": [("stdout", 1, "bytes"), ("stderr", 2, "bytes"), ("exit_code", 3, "int32")],
}
CREATED, RUNNING, EXITED = 0, 1, 2  # states of a container
POD, CONTAINER, NODE = 0, 1, 2  # whose namespace

CONFIG = """
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{directory}/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runlxc]
    runtime_type = "io.containerd.runc.v2"
    pod_annotations = ["org.linuxcontainers.lxc.*"]
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runlxc.options]
      BinaryName = "{runtimes[runlxc]}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{runtimes[runc]}"
"""


def _types():
    """Message classes, made of the table."""
    file = descriptor_pb2.FileDescriptorProto(name="cri-of-the-tests.proto", package="runtime.v1", syntax="proto3")
    field_type = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            label = field_type.LABEL_REPEATED if kind.endswith("*") else field_type.LABEL_OPTIONAL
            kind = kind.rstrip("*")
            made = message.field.add(name=field, number=number, label=label)
            if kind in MESSAGES:
                made.type, made.type_name = field_type.TYPE_MESSAGE, f".runtime.v1.{kind}"
            else:
                made.type = getattr(field_type, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"runtime.v1.{name}")) for name in MESSAGES}


class Cri(Containerd):
    namespace = "k8s.io"
    disabled = ""
    more = CONFIG.replace("{pause}", PAUSE)

    def __init__(self, place, busybox):
        self.types = _types()
        self.channel = None
        super().__init__(place, busybox)
        self.cgroup = f"/{self.token}-cri"
        self.channel = grpc.insecure_channel(f"unix://{self.directory}/s")
        self.load(PAUSE, docker_archive(image(busybox), PAUSE, ("sleep", "1000000")))
        for name in (IMAGE, PAUSE):
            request = {"image": {"image": name}}
            wait_until(lambda r=request: self.call("ImageStatus", r, "Image").image.id, f"{name} is known")

    def call(self, method, request, service="Runtime"):
        made = json_format.ParseDict(request, self.types[f"{method}Request"]())
        return self.channel.unary_unary(
            f"/runtime.v1.{service}Service/{method}",
            request_serializer=self.types[f"{method}Request"].SerializeToString,
            response_deserializer=self.types[f"{method}Response"].FromString,
        )(made, timeout=30)

    def pod(self, runtime, network=NODE, pid=CONTAINER, **config):
        return Pod(self, runtime, {"network": network, "pid": pid}, **config)

    def traces(self, id_):
        """Where something has this id in its name: files, mounts, cgroups."""
        script = 'id=$1; shift; find "$@" -name "*$id*" -prune; grep "$id" /proc/self/mountinfo'
        places = [f"{self.directory}/root", f"{self.directory}/state", "/run", "/dev/shm", "/sys/fs/cgroup"]
        return self.place.inside("sh", "-c", script, "sh", id_, *places).stdout.splitlines()

    def clear(self):
        for pod in self.call("ListPodSandbox", {}).items:
            self.call("StopPodSandbox", {"pod_sandbox_id": pod.id})
            self.call("RemovePodSandbox", {"pod_sandbox_id": pod.id})
        self._clear_cgroups()

    def _clear_cgroups(self):
        """Those of pods, which are the kubelet's, who removes them; not what was left in them."""
        for mount_point in cgroup_hierarchies().values():
            for directory in glob.glob(f"{mount_point}{self.cgroup}/{self.token}-*"):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass

    def close(self):
        try:
            super().close()
        finally:
            self.channel.close()


def default_pause(machine):
    """The image that containerd takes for a pod's sandbox unless it is told another."""
    return re.search(r'sandbox_image = "(.*)"', machine.must("containerd config default"))[1]


class MachineCri(Cri):
    """The CRI of a containerd that runs on a Machine (lib/pages.py), until that is started anew."""

    namespace = "k8s.io"

    def __init__(self, machine, images):  # pylint: disable=super-init-not-called
        Engine.__init__(self, machine)
        self.types = _types()
        self.directory, self.cgroup = machine.directory, machine.cgroup_parent
        self.channel = grpc.insecure_channel(f"unix:///proc/{machine.holder.pid}/root/run/containerd/containerd.sock")
        for name in images:
            request = {"image": {"image": name}}
            wait_until(lambda r=request: self.call("ImageStatus", r, "Image").image.id, f"{name} is known")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def argv(self, *args):
        return [*self.place.enter, "ctr", "--namespace", self.namespace, *map(str, args)]


class Pod:
    """In a cgroup of its own."""

    def __init__(self, cri, runtime, namespaces, **config):
        self.cri, self.namespaces = cri, namespaces
        name = cri.name()
        self.logs = f"{cri.directory}/logs-{name}"
        os.mkdir(self.logs)
        self.config = {
            "metadata": {"name": name, "uid": name, "namespace": "tests"},
            "hostname": "box" if namespaces["network"] != NODE else "",
            "log_directory": self.logs,
            "linux": {
                "cgroup_parent": f"{cri.cgroup}/{name}",
                "security_context": {"namespace_options": namespaces},
            },
            **config,
        }
        request = {"config": self.config, "runtime_handler": runtime}
        self.id = cri.call("RunPodSandbox", request).pod_sandbox_id

    def container(self, *command, context=None, resources=None, **config):
        """Created and not started."""
        name = self.cri.name()
        context = {"namespace_options": self.namespaces, **(context or {})}
        config = {
            "metadata": {"name": name},
            "image": {"image": IMAGE},
            "command": list(command),
            "log_path": f"{name}.log",
            "linux": {"resources": resources or {}, "security_context": context},
            **config,
        }
        request = {"pod_sandbox_id": self.id, "config": config, "sandbox_config": self.config}
        id_ = self.cri.call("CreateContainer", request).container_id
        return PodContainer(self.cri, id_, f"{self.logs}/{name}.log")

    def stop(self):
        self.cri.call("StopPodSandbox", {"pod_sandbox_id": self.id})

    def remove(self):
        self.cri.call("RemovePodSandbox", {"pod_sandbox_id": self.id})

    def stats(self):
        return self.cri.call("PodSandboxStats", {"pod_sandbox_id": self.id}).stats


class PodContainer:
    def __init__(self, cri, id_, log):
        self.cri, self.id, self.log_path = cri, id_, log

    def start(self):
        self.cri.call("StartContainer", {"container_id": self.id})
        return self

    def stop(self, timeout=0):
        self.cri.call("StopContainer", {"container_id": self.id, "timeout": timeout})

    def remove(self):
        self.cri.call("RemoveContainer", {"container_id": self.id})

    def update(self, **resources):
        self.cri.call("UpdateContainerResources", {"container_id": self.id, "linux": resources})

    def exec(self, *command, timeout=0):
        request = {"container_id": self.id, "cmd": list(command), "timeout": timeout}
        done = self.cri.call("ExecSync", request)
        return done.exit_code, done.stdout.decode(), done.stderr.decode()

    def stats(self):
        return self.cri.call("ContainerStats", {"container_id": self.id}).stats

    @property
    def status(self):
        return self.cri.call("ContainerStatus", {"container_id": self.id}).status

    @property
    def pid(self):
        return next(int(task[1]) for task in self.cri._tasks() if task[0] == self.id)

    def ended(self):
        """Waits for the end; (exit status, reason)."""
        wait_until(lambda: self.status.state == EXITED, "it has ended")
        return self.status.exit_code, self.status.reason

    def log(self):
        """What it has said: (time, "stdout" or "stderr", "F" for a full line or "P" for a part of one, text)."""
        with open(self.log_path, encoding="utf-8") as log:
            return [tuple(line.rstrip("\n").split(" ", 3)) for line in log]

    def logged(self):
        """The text alone."""
        return [text for _, _, _, text in self.log()]

    def reopen_log(self):
        """As the kubelet does, when it has renamed the file."""
        self.cri.call("ReopenContainerLog", {"container_id": self.id})
