# SPDX-License-Identifier: Apache-2.0
"""Every MUST, MUST NOT and REQUIRED of the OCI runtime specification 1.3.0 that binds a runtime on Linux.

In the order of the documents: runtime.md, runtime-linux.md, config.md, config-linux.md. A text is the document's
own, shortened where it says the same again for each item of a list. What binds another platform, or whoever writes
a config.json and not the runtime, is listed with `not_ours`: why there is no test.
"""

from dataclasses import dataclass

import pytest

# Options of mount(8) that a runtime MUST implement, in the order of the table in config.md.
MOUNT_OPTIONS = (
    "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec "
    "noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave "
    "runbindable rw shared silent slave strictatime suid sync unbindable"
).split()

HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
NAMESPACES = {
    "pid": "pid",
    "network": "net",
    "mount": "mnt",
    "ipc": "ipc",
    "uts": "uts",
    "user": "user",
    "cgroup": "cgroup",
    "time": "time",
}

WINDOWS = "binds runtimes on Windows"
AUTHOR = "binds whoever writes the config.json"
DRAFT = "binds later versions of the specification"


@dataclass(frozen=True)
class Clause:
    name: str
    section: str
    text: str
    not_ours: str = ""


def _section(section, *rows):
    return [Clause(row[0], section, *row[1:]) for row in rows]


_RUNTIME = [
    *_section(
        "runtime.md#scope-of-a-container",
        (
            "scope-operations",
            "The entity using a runtime to create a container MUST be able to use the operations defined in this "
            "specification against that same container.",
        ),
    ),
    *_section(
        "runtime.md#state",
        ("state-required", "`ociVersion`, `id`, `status` and `bundle` are REQUIRED."),
        ("state-id-unique", "`id` MUST be unique across all containers on this host."),
        ("state-status", "`status` is `creating`, `created`, `running` or `stopped`, by what the process is at."),
        (
            "state-status-additional",
            "Additional values MAY be defined by the runtime, however, they MUST be used to represent new runtime "
            "states not defined above.",
        ),
        ("state-pid", "`pid` is REQUIRED when `status` is `created` or `running` on Linux."),
        (
            "state-pid-runtime-hooks",
            "For hooks executed in the runtime namespace, `pid` is the pid as seen by the runtime.",
        ),
        (
            "state-pid-container-hooks",
            "For hooks executed in the container namespace, `pid` is the pid as seen by the container.",
        ),
        ("state-bundle", "`bundle` is the absolute path to the container's bundle directory."),
        ("state-annotations", "`annotations` contains the list of annotations associated with the container."),
        (
            "state-schema",
            "When serialized in JSON, the format MUST adhere to the JSON Schema `schema/state-schema.json`.",
        ),
    ),
    *_section(
        "runtime.md#lifecycle",
        (
            "lifecycle-2-environment",
            "2. The container's runtime environment MUST be created according to the configuration in `config.json`.",
        ),
        (
            "lifecycle-2-error",
            "2. If the runtime is unable to create the environment specified in the `config.json`, it MUST generate "
            "an error.",
        ),
        ("lifecycle-2-resources", "2. The resources requested in the `config.json` MUST be created."),
        (
            "lifecycle-2-program",
            "2. The user-specified program (from `process`) MUST NOT be run at this time.",
        ),
        (
            "lifecycle-2-updates",
            "2. Any updates to `config.json` after this step MUST NOT affect the container.",
        ),
        ("lifecycle-3-prestart", "3. The `prestart` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-3-prestart-fails",
            "3. If any `prestart` hook fails, the runtime MUST generate an error, stop the container, and continue "
            "the lifecycle at step 12.",
        ),
        ("lifecycle-4-createRuntime", "4. The `createRuntime` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-4-createRuntime-fails",
            "4. If any `createRuntime` hook fails, the runtime MUST generate an error, stop the container, and "
            "continue the lifecycle at step 12.",
        ),
        ("lifecycle-5-createContainer", "5. The `createContainer` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-5-createContainer-fails",
            "5. If any `createContainer` hook fails, the runtime MUST generate an error, stop the container, and "
            "continue the lifecycle at step 12.",
        ),
        ("lifecycle-7-startContainer", "7. The `startContainer` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-7-startContainer-fails",
            "7. If any `startContainer` hook fails, the runtime MUST generate an error, stop the container, and "
            "continue the lifecycle at step 12.",
        ),
        (
            "lifecycle-8-program",
            "8. The runtime MUST run the user-specified program, as specified by `process`.",
        ),
        ("lifecycle-9-poststart", "9. The `poststart` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-9-poststart-fails",
            "9. If any `poststart` hook fails, the runtime MUST generate an error, stop the container, and continue "
            "the lifecycle at step 12.",
        ),
        (
            "lifecycle-12-destroyed",
            "12. The container MUST be destroyed by undoing the steps performed during create phase (step 2).",
        ),
        ("lifecycle-13-poststop", "13. The `poststop` hooks MUST be invoked by the runtime."),
        (
            "lifecycle-13-poststop-fails",
            "13. If any `poststop` hook fails, the runtime MUST log a warning, but the remaining hooks and lifecycle "
            "continue as if the hook had succeeded.",
        ),
    ),
    *_section(
        "runtime.md#errors",
        (
            "errors-undone",
            "Unless otherwise stated, generating an error MUST leave the state of the environment as if the "
            "operation were never attempted.",
        ),
    ),
    *_section(
        "runtime.md#warnings",
        (
            "warnings-continue",
            "Logging a warning does not change the flow of the operation; it MUST continue as if the warning had not "
            "been logged.",
        ),
    ),
    *_section(
        "runtime.md#operations",
        ("operations-supported", "Unless otherwise stated, runtimes MUST support the following operations."),
    ),
    *_section(
        "runtime.md#query-state",
        ("state-without-id", "This operation MUST generate an error if it is not provided the ID of a container."),
        ("state-unknown", "Attempting to query a container that does not exist MUST generate an error."),
        ("state-returns", "This operation MUST return the state of a container as specified in the State section."),
    ),
    *_section(
        "runtime.md#create",
        (
            "create-without-arguments",
            "This operation MUST generate an error if it is not provided a path to the bundle and the container ID "
            "to associate with the container.",
        ),
        (
            "create-id-taken",
            "If the ID provided is not unique across all containers within the scope of the runtime, the "
            "implementation MUST generate an error and a new container MUST NOT be created.",
        ),
        (
            "create-id-invalid",
            "If the ID is not valid in any other way, the implementation MUST generate an error and a new container "
            "MUST NOT be created.",
        ),
        ("create-creates", "This operation MUST create a new container."),
        (
            "create-properties",
            "All of the properties configured in `config.json` except for `process` MUST be applied.",
        ),
        (
            "create-args",
            "`process.args` MUST NOT be applied until triggered by the `start` operation.",
        ),
        (
            "create-cannot-apply",
            "If the runtime cannot apply a property as specified in the configuration, it MUST generate an error and "
            "a new container MUST NOT be created.",
        ),
    ),
    *_section(
        "runtime.md#start",
        ("start-without-id", "This operation MUST generate an error if it is not provided the container ID."),
        (
            "start-not-created",
            "Attempting to `start` a container that is not `created` MUST have no effect on the container and MUST "
            "generate an error.",
        ),
        ("start-runs", "This operation MUST run the user-specified program as specified by `process`."),
        ("start-without-process", "This operation MUST generate an error if `process` was not set."),
    ),
    *_section(
        "runtime.md#kill",
        ("kill-without-id", "This operation MUST generate an error if it is not provided the container ID."),
        (
            "kill-not-running",
            "Attempting to send a signal to a container that is neither `created` nor `running` MUST have no effect "
            "on the container and MUST generate an error.",
        ),
        ("kill-sends", "This operation MUST send the specified signal to the container process."),
    ),
    *_section(
        "runtime.md#delete",
        ("delete-without-id", "This operation MUST generate an error if it is not provided the container ID."),
        (
            "delete-not-stopped-running",
            "Attempting to `delete` a container that is not `stopped` (but `running`) MUST have no effect on the "
            "container and MUST generate an error.",
        ),
        (
            "delete-not-stopped-created",
            "Attempting to `delete` a container that is not `stopped` (but `created`) MUST have no effect on the "
            "container and MUST generate an error.",
        ),
        (
            "delete-resources",
            "Deleting a container MUST delete the resources that were created during the `create` step.",
        ),
        (
            "delete-resources-of-others",
            "Resources associated with the container, but not created by this container, MUST NOT be deleted.",
        ),
    ),
    *_section(
        "runtime-linux.md#dev-symbolic-links",
        (
            "dev-links",
            "Runtimes MUST create the following symlinks if the source file exists after processing `mounts`: "
            "/dev/fd, /dev/stdin, /dev/stdout, /dev/stderr.",
        ),
    ),
]

_CONFIG = [
    *_section(
        "config.md#specification-version",
        ("ociVersion", "`ociVersion` (REQUIRED) MUST be in SemVer v2.0.0 format."),
    ),
    *_section(
        "config.md#root",
        ("root-required", "On all other platforms, `root` and its `path` are REQUIRED."),
        ("root-hyperv", "For Hyper-V Containers, this field MUST NOT be set.", WINDOWS),
        ("root-windows-path", "On Windows, `path` MUST be a volume GUID path.", WINDOWS),
        ("root-directory", "A directory MUST exist at the path declared by the field."),
        ("root-path-relative", "`path` is either an absolute path or a relative path to the bundle."),
        (
            "root-readonly",
            "`readonly`: if true then the root filesystem MUST be read-only inside the container, defaults to false.",
        ),
        ("root-windows-readonly", "On Windows, `readonly` MUST be omitted or false.", WINDOWS),
    ),
    *_section(
        "config.md#mounts",
        ("mounts-order", "The runtime MUST mount entries in the listed order."),
        ("mounts-destination-required", "`destination` is REQUIRED."),
        (
            "mounts-destination-relative",
            "`destination` MAY be a relative path, in which case it MUST be interpreted as relative to \"/\".",
        ),
        ("mounts-destination-windows", "Windows: `destination` MUST be an absolute path, and not nested.", WINDOWS),
        ("mounts-source-relative", "Path values for bind mounts are either absolute or relative to the bundle."),
        ("mounts-windows-ro", "Windows: runtimes MUST support `ro`.", WINDOWS),
    ),
    *_section(
        "config.md#linux-mount-options",
        *((f"mount-option-{option}", f"Runtimes MUST implement the option `{option}`.") for option in MOUNT_OPTIONS),
        ("mount-idmap", "`idmap` indicates that the mount MUST have an idmapping applied."),
        (
            "mount-idmap-mappings",
            "`idmap`: if `uidMappings` or `gidMappings` are specified for the mount, the runtime MUST use those "
            "values for the mount's mapping.",
        ),
        (
            "mount-idmap-without",
            "`idmap`: if there are no `uidMappings` and `gidMappings` specified and the container isn't using user "
            "namespaces, an error MUST be returned.",
        ),
        (
            "mount-ridmap",
            "`ridmap` indicates that the mount MUST have an idmapping applied, and the mapping is applied "
            "recursively.",
        ),
        (
            "mount-ridmap-without",
            "`ridmap`: if there are no `uidMappings` and `gidMappings` specified and the container isn't using user "
            "namespaces, an error MUST be returned.",
        ),
    ),
    *_section(
        "config.md#posix-platform-mounts",
        (
            "mount-mappings-together",
            "`uidMappings` MUST be specified along with `gidMappings`, and the other way round.",
        ),
    ),
    *_section(
        "config.md#process",
        ("process-required", "`process` is REQUIRED when `start` is called."),
        ("process-consoleSize", "Runtimes MUST ignore `consoleSize` if `terminal` is `false` or unset."),
        ("process-cwd", "`cwd` (REQUIRED) MUST be an absolute path."),
        ("process-env", "`env` with the same semantics as IEEE Std 1003.1-2008's `environ`."),
        (
            "process-args",
            "At least one entry of `args` is REQUIRED, and that entry is used with the same semantics as `execvp`'s "
            "file.",
        ),
    ),
    *_section(
        "config.md#posix-process",
        (
            "rlimits-type",
            "The runtime MUST generate an error for any values which cannot be mapped to a relevant kernel "
            "interface.",
        ),
        ("rlimits-getrlimit", "For each entry in `rlimits`, a `getrlimit(3)` on `type` MUST succeed."),
        ("rlimits-soft", "`soft`: `rlim.rlim_cur` MUST match the configured value."),
        ("rlimits-hard", "`hard`: `rlim.rlim_max` MUST match the configured value."),
        (
            "rlimits-duplicates",
            "If `rlimits` contains duplicated entries with same `type`, the runtime MUST generate an error.",
        ),
    ),
    *_section(
        "config.md#linux-process",
        (
            "capabilities-warning",
            "Any value which cannot be mapped to a relevant kernel interface, or cannot be granted otherwise MUST be "
            "logged as a warning by the runtime.",
        ),
        (
            "oomScoreAdj-set",
            "If `oomScoreAdj` is set, the runtime MUST set `oom_score_adj` to the given value.",
        ),
        (
            "oomScoreAdj-unset",
            "If `oomScoreAdj` is not set, the runtime MUST NOT change the value of `oom_score_adj`.",
        ),
        (
            "scheduler-defaults",
            "`nice`, `priority`, `runtime`, `deadline`, `period`: if not set, the runtime must use the value 0.",
        ),
        ("scheduler-policy", "`scheduler.policy` is REQUIRED."),
        ("ioPriority", "`ioPriority.class` and `ioPriority.priority` are REQUIRED."),
    ),
    *_section(
        "config.md#platform-specific-configuration",
        ("platform-windows", "`windows` MUST be set if the target platform of this spec is `windows`.", WINDOWS),
    ),
    *_section(
        "config.md#posix-platform-hooks",
        *((f"hook-path-absolute-{kind}", f"`{kind}`: `path` (REQUIRED) MUST be absolute.") for kind in HOOKS),
        *((f"hook-timeout-{kind}", f"`{kind}`: if set, `timeout` MUST be greater than zero.") for kind in HOOKS),
        *(
            (
                f"hook-resolves-{kind}",
                f"`{kind}`: the value of `path` MUST resolve in the "
                f"{'container' if kind == 'startContainer' else 'runtime'} namespace.",
            )
            for kind in HOOKS
        ),
        *(
            (
                f"hook-executed-{kind}",
                f"The `{kind}` hooks MUST be executed in the "
                f"{'container' if kind in ('createContainer', 'startContainer') else 'runtime'} namespace.",
            )
            for kind in HOOKS
        ),
        *((f"hook-order-{kind}", f"Hooks MUST be called in the listed order (`{kind}`).") for kind in HOOKS),
        *(
            (f"hook-state-{kind}", f"The state of the container MUST be passed to hooks over stdin (`{kind}`).")
            for kind in HOOKS
        ),
    ),
    *_section(
        "config.md#prestart",
        (
            "prestart-when",
            "The `prestart` hooks MUST be called as part of the `create` operation after the runtime environment has "
            "been created but before the `pivot_root` or any equivalent operation has been executed.",
        ),
        ("prestart-first", "The `prestart` hooks MUST be called before the `createRuntime` hooks."),
    ),
    *_section(
        "config.md#createruntime-hooks",
        (
            "createRuntime-when",
            "The `createRuntime` hooks MUST be called as part of the `create` operation after the runtime "
            "environment has been created but before the `pivot_root` or any equivalent operation has been executed.",
        ),
    ),
    *_section(
        "config.md#createcontainer-hooks",
        (
            "createContainer-when",
            "The `createContainer` hooks MUST be called as part of the `create` operation after the runtime "
            "environment has been created but before the `pivot_root` or any equivalent operation has been executed.",
        ),
        ("createContainer-after", "The `createContainer` hooks MUST be called after the `createRuntime` hooks."),
    ),
    *_section(
        "config.md#startcontainer-hooks",
        (
            "startContainer-when",
            "The `startContainer` hooks MUST be called before the user-specified process is executed as part of the "
            "`start` operation.",
        ),
    ),
    *_section(
        "config.md#poststart",
        (
            "poststart-when",
            "The `poststart` hooks MUST be called after the user-specified process is executed but before the "
            "`start` operation returns.",
        ),
    ),
    *_section(
        "config.md#poststop",
        (
            "poststop-when",
            "The `poststop` hooks MUST be called after the container is deleted but before the `delete` operation "
            "returns.",
        ),
    ),
    *_section(
        "config.md#annotations",
        ("annotations-map", "Annotations MUST be a key-value map."),
        ("annotations-keys-strings", "Keys MUST be strings."),
        ("annotations-keys-empty", "Keys MUST NOT be an empty string."),
        (
            "annotations-reserved",
            "Annotations using keys in the `org.opencontainers` namespace MUST be as described in this section.",
            AUTHOR,
        ),
        ("annotations-image", "The values of `org.opencontainers.image.*` MUST be valid values.", AUTHOR),
        (
            "annotations-subsequent",
            "All other keys in the `org.opencontainers` namespace MUST NOT be used by subsequent specifications.",
            DRAFT,
        ),
        (
            "annotations-unknown",
            "Runtimes MUST handle unknown annotation keys like any other unknown property.",
        ),
        ("annotations-values", "Values MUST be strings."),
    ),
    *_section(
        "config.md#extensibility",
        ("extensibility", "Runtimes MAY log unknown properties but MUST otherwise ignore them."),
    ),
    *_section(
        "config.md#valid-values",
        ("valid-values", "Runtimes MUST generate an error when invalid or unsupported values are encountered."),
    ),
]

_LINUX = [
    *_section(
        "config-linux.md#namespaces",
        ("namespace-path-absolute", "`path` MUST be an absolute path in the runtime mount namespace."),
        *(
            (
                f"namespace-path-{kind}",
                f"The runtime MUST place the container process in the namespace associated with that `path` ({kind}).",
            )
            for kind in NAMESPACES
        ),
        *(
            (
                f"namespace-type-{kind}",
                f"The runtime MUST generate an error if `path` is not associated with a namespace of type `type` "
                f"({kind}).",
            )
            for kind in NAMESPACES
        ),
        *(
            (
                f"namespace-new-{kind}",
                f"If `path` is not specified, the runtime MUST create a new container namespace of type `type` "
                f"({kind}).",
            )
            for kind in NAMESPACES
        ),
        *(
            (
                f"namespace-inherited-{kind}",
                f"If a namespace type is not specified in the `namespaces` array, the container MUST inherit the "
                f"runtime namespace of that type ({kind}).",
            )
            for kind in NAMESPACES
        ),
        (
            "namespace-duplicates",
            "If a `namespaces` field contains duplicated namespaces with same `type`, the runtime MUST generate an "
            "error.",
        ),
    ),
    *_section(
        "config-linux.md#user-namespace-mappings",
        ("mappings-required", "`containerID`, `hostID` and `size` are REQUIRED."),
    ),
    *_section(
        "config-linux.md#devices",
        ("devices-available", "`devices` lists devices that MUST be available in the container."),
        (
            "devices-mismatch",
            "If a file already exists at `path` that does not match the requested device, the runtime MUST generate "
            "an error.",
        ),
        ("devices-numbers", "`type` and `path` are REQUIRED, `major, minor` unless `type` is `p`."),
    ),
    *_section(
        "config-linux.md#default-devices",
        *((f"device-{name}", f"The runtime MUST also supply `/dev/{name}`.") for name in DEVICES),
        (
            "device-console",
            "The runtime MUST also supply `/dev/console` if `terminal` is enabled in the config by bind mounting the "
            "pseudoterminal pty.",
        ),
        (
            "device-ptmx",
            "The runtime MUST also supply `/dev/ptmx`. A bind-mount or symlink of the container's `/dev/pts/ptmx`.",
        ),
    ),
    *_section(
        "config-linux.md#network-devices",
        ("netDevices-available", "`netDevices`: a set of network devices that MUST be made available."),
        (
            "netDevices-name-taken",
            "If a network device with the specified name already exists in the container namespace, the runtime MUST "
            "generate an error.",
        ),
        (
            "netDevices-template",
            "Unless the user has provided a template by appending `%d` to the new name. In that case, the runtime "
            "MUST allow the move.",
        ),
        (
            "netDevices-check",
            "The runtime MUST check if moving the network interface to the container namespace is possible.",
        ),
        (
            "netDevices-addresses",
            "The runtime MUST preserve existing network interface attributes, including all permanent IP addresses "
            "of any family with global scope.",
        ),
        (
            "netDevices-up",
            "The runtime MUST set the network device state to \"up\" after moving it to the network namespace.",
        ),
    ),
    *_section(
        "config-linux.md#namespace-lifecycle-and-container-termination",
        (
            "netDevices-not-managed",
            "The runtime MUST NOT actively manage the interface's lifecycle and configuration within the container's "
            "network namespace.",
        ),
        (
            "netDevices-not-moved-back",
            "The runtime MUST NOT attempt to move the interface out of the namespace before deletion.",
        ),
    ),
    *_section(
        "config-linux.md#control-groups",
        (
            "cgroup-fit",
            "A runtime MAY check if the container cgroup is fit for purpose, and MUST generate an error if such a "
            "check fails. For example, a frozen cgroup or a non-empty cgroup.",
        ),
    ),
    *_section(
        "config-linux.md#cgroups-path",
        ("cgroupsPath-either", "`cgroupsPath` MUST be either an absolute path or a relative path."),
        (
            "cgroupsPath-absolute",
            "In the case of an absolute path, the runtime MUST take the path to be relative to the cgroups mount "
            "point.",
        ),
        (
            "cgroupsPath-consistent",
            "The runtime MUST consistently attach to the same place in the cgroups hierarchy given the same value of "
            "`cgroupsPath`.",
        ),
        (
            "cgroupsPath-invalid",
            "Runtimes MAY consider certain `cgroupsPath` values to be invalid, and MUST generate an error if this is "
            "the case.",
        ),
    ),
    *_section(
        "config-linux.md#cgroup-ownership",
        (
            "cgroup-ownership",
            "Not all files listed in `/sys/kernel/cgroup/delegate` exist in every cgroup. Runtimes MUST NOT fail in "
            "this scenario.",
            "LXC gives a user namespace's root a fixed list of them, and passes over those that are not there; which are "
            "in that file makes no difference",
        ),
        (
            "cgroup-ownership-files",
            "If the `/sys/kernel/cgroup/delegate` file does not exist, the runtime MUST fall back to a list of files.",
            "LXC has a list of its own and does not read the file",
        ),
    ),
    *_section(
        "config-linux.md#allowed-device-list",
        ("devices-listed-order", "The runtime MUST apply entries in the listed order."),
    ),
    *_section(
        "config-linux.md#memory",
        (
            "memory-checkBeforeUpdate",
            "`checkBeforeUpdate`: if enabled, runtime MAY check if a new memory limit is lower than the current "
            "usage, and MUST reject the new limit.",
        ),
    ),
    *_section(
        "config-linux.md#cpu",
        (
            "cpu-burst",
            "`quota` MUST be no smaller than `burst`, and `burst` no larger than any positive `quota` (runtimes MAY "
            "generate an error).",
        ),
    ),
    *_section(
        "config-linux.md#block-io",
        (
            "weightDevice",
            "You MUST specify at least one of `weight` or `leafWeight` in a given entry.",
        ),
        ("throttle-required", "`major, minor` and `rate` are REQUIRED."),
    ),
    *_section(
        "config-linux.md#huge-page-limits",
        (
            "hugepage-size",
            "`pageSize` (REQUIRED) must match the `<hugepagesize>` of the corresponding control file.",
        ),
    ),
    *_section(
        "config-linux.md#rdma",
        ("rdma", "You MUST specify at least one of the `hcaHandles` or `hcaObjects` in a given entry."),
    ),
    *_section(
        "config-linux.md#unified",
        (
            "unified-controllers",
            "The OCI runtime MUST ensure that the needed cgroup controllers are enabled for the cgroup.",
        ),
        ("unified-unknown", "Configuration unknown to the runtime MUST still be written to the relevant file."),
        (
            "unified-missing",
            "The runtime MUST generate an error when the configuration refers to a cgroup controller that is not "
            "present or that cannot be enabled.",
        ),
        ("unified-conversion", "If the conversion is not possible the runtime MUST generate an error."),
    ),
    *_section(
        "config-linux.md#intelrdt",
        (
            "rdt-tasks",
            "If `intelRdt` is set, the runtime MUST write the container process ID to the `tasks` file in a proper "
            "sub-directory in a mounted `resctrl` pseudo-filesystem. That sub-directory name is specified by `closID`.",
        ),
        (
            "rdt-not-mounted",
            "If no mounted `resctrl` pseudo-filesystem is available in the runtime mount namespace, the runtime MUST "
            "generate an error.",
        ),
        (
            "rdt-unset",
            "If `intelRdt` is not set, the runtime MUST NOT manipulate any `resctrl` pseudo-filesystems.",
        ),
        ("rdt-memBwSchema", "`memBwSchema`: the value MUST start with `MB:` and MUST NOT contain newlines."),
        ("rdt-schemata-lines", "`schemata`: the value MUST NOT contain newlines."),
        (
            "rdt-both",
            "If both `l3CacheSchema` and `memBwSchema` are set, runtimes MUST write the combined value to the `schemata` "
            "file.",
        ),
        (
            "rdt-MB-line",
            "If `l3CacheSchema` contains a line beginning with `MB:`, the value written MUST be the non-`MB:` line(s) from "
            "`l3CacheSchema` and the line from `memBwSchema`.",
        ),
        (
            "rdt-either",
            "If either `l3CacheSchema` or `memBwSchema` is set, runtimes MUST write the value to the `schemata` file.",
        ),
        (
            "rdt-schemata",
            "If `schemata` field is set, runtimes MUST write the value to the `schemata` file, after the values from "
            "`l3CacheSchema` and `memBwSchema` have been written.",
        ),
        (
            "rdt-none",
            "If none of `l3CacheSchema`, `memBwSchema` or `schemata` is set, runtimes MUST NOT write to `schemata` files.",
        ),
        (
            "rdt-container-id",
            "If `closID` is not set, runtimes MUST use the container ID and create the `<container-id>` directory.",
        ),
        (
            "rdt-closID-made",
            "If `closID` is set with any of the three, and the directory doesn't exist, the runtimes MUST create it.",
        ),
        (
            "rdt-closID-compared",
            "If it exists, runtimes MUST compare `l3CacheSchema` and/or `memBwSchema` value with `schemata` file, and "
            "generate an error if doesn't match.",
        ),
        (
            "rdt-closID-there",
            "If `closID` is set with none of the three, runtime MUST check if the directory is present, MUST assign the "
            "container to it, and generate an error if it does not exist.",
        ),
        (
            "rdt-monitoring",
            "If `enableMonitoring` is set, the runtime MUST create a dedicated MON group, `mon_groups/<container-id>/`.",
        ),
        ("rdt-monitoring-deleted", "The runtime MUST delete the MON group after the container is deleted."),
        ("rdt-monitoring-fails", "If creation of the MON group fails the runtime MUST return an error."),
    ),
    *_section(
        "config-linux.md#memory-policy",
        ("memoryPolicy-mode", "`memoryPolicy.mode` is REQUIRED."),
    ),
    *_section(
        "config-linux.md#seccomp",
        ("seccomp-defaultAction", "`defaultAction` is REQUIRED."),
        (
            "seccomp-defaultErrnoRet",
            "`defaultErrnoRet`: when the action doesn't support an errno, the runtime MUST print an error and fail.",
        ),
        (
            "seccomp-listener-socket",
            "`listenerPath`: this socket MUST use `AF_UNIX` domain and `SOCK_STREAM` type.",
        ),
        (
            "seccomp-listener-one",
            "The runtime MUST send exactly one container process state per connection. The connection MUST NOT be "
            "reused and it MUST be closed after sending a seccomp state.",
        ),
        ("seccomp-listener-fails", "If sending to this socket fails, the runtime MUST generate an error."),
        ("seccomp-listener-ignored", "If the `SCMP_ACT_NOTIFY` action is not used this value is ignored."),
        (
            "seccomp-listenerMetadata",
            "`listenerMetadata` MUST NOT be set if `listenerPath` is not set.",
        ),
        ("seccomp-names", "`syscalls[].names` (REQUIRED) MUST contain at least one entry."),
        ("seccomp-action", "`syscalls[].action` is REQUIRED."),
        (
            "seccomp-errnoRet",
            "`errnoRet`: when the action doesn't support an errno, the runtime MUST print an error and fail.",
        ),
        ("seccomp-args", "`index`, `value` and `op` of `syscalls[].args` are REQUIRED."),
    ),
    *_section(
        "config-linux.md#the-container-process-state",
        (
            "process-state-json",
            "The container runtime MUST send the container process state over the UNIX socket as regular payload "
            "serialized in JSON and file descriptors MUST be sent using `SCM_RIGHTS`.",
        ),
        (
            "process-state-fds-first",
            "If more than one `sendmsg(2)` is used, the file descriptors MUST be sent only in the first call.",
        ),
        (
            "process-state-fields",
            "`ociVersion`, `pid` and `state` are REQUIRED; the index of a name in `fds` corresponds to the index of "
            "the descriptor.",
        ),
    ),
    *_section(
        "config-linux.md#masked-paths",
        ("maskedPaths-absolute", "The values MUST be absolute paths in the container namespace."),
    ),
    *_section(
        "config-linux.md#readonly-paths",
        ("readonlyPaths-absolute", "The values MUST be absolute paths in the container namespace."),
    ),
    *_section(
        "config-linux.md#personality",
        ("personality-domain", "`personality.domain` is REQUIRED."),
    ),
]

CLAUSES = [*_RUNTIME, *_CONFIG, *_LINUX]
BY_NAME = {clause.name: clause for clause in CLAUSES}
assert len(BY_NAME) == len(CLAUSES)


def clause(*names):
    """The mark of a test that shows these clauses; a misspelled one is an error when the test is read."""
    unknown = [name for name in names if name not in BY_NAME]
    assert not unknown, f"no such clause: {unknown}"
    return pytest.mark.clause(*names)


def each(values, pattern):
    """Parameters for a test that shows a clause of each: each(HOOKS, "hook-state-{}")."""
    return [pytest.param(value, marks=clause(pattern.format(value))) for value in values]
