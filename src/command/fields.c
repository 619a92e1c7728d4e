/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of a Command: its name in JSON, its type, its place in the struct. */
#include "command/internal.h"

#include "base/cleanup.h"

#define SHAPE(type, list)                                                                          \
	{                                                                                          \
		sizeof(type), ARRAY_SIZE(list), list                                               \
	}
/* A member of one of the Command's structs that have no name. */
#define WITHIN(parent, member)                                                                     \
	(offsetof(struct runlxc_command, parent.member) - offsetof(struct runlxc_command, parent))

/* clang-format off */

#define FIELD(name, kind) {#name, COMMAND_##kind, offsetof(TYPE, name), 0, NULL}
#define OBJECT(name, kind, shape) {#name, COMMAND_##kind, offsetof(TYPE, name), 0, &(shape)}
#define LIST(name, shape)                                                                          \
	{#name, COMMAND_LIST, offsetof(TYPE, name), offsetof(TYPE, name##_count), &(shape)}

#define TYPE struct runlxc_command_interface
static const struct command_field interface_fields[] = {
	FIELD(bridge, TEXT),
	FIELD(ip, TEXT),
	FIELD(ip_prefix_len, INT),
	FIELD(gateway, TEXT),
	FIELD(mac, TEXT),
	FIELD(global_ipv6, TEXT),
	FIELD(global_ipv6_prefix_len, INT),
	FIELD(link_local_ipv6, TEXT),
	FIELD(ipv6_gateway, TEXT),
	FIELD(hairpin_mode, FLAG),
};
static const struct command_shape interface_shape = SHAPE(TYPE, interface_fields);
#undef TYPE

#define TYPE struct runlxc_command_network
static const struct command_field network_fields[] = {
	OBJECT(interface, POINTER, interface_shape),
	FIELD(mtu, INT),
	FIELD(container_id, TEXT),
	FIELD(namespace_path, TEXT),
	FIELD(host_networking, FLAG),
};
static const struct command_shape network_shape = SHAPE(TYPE, network_fields);
#undef TYPE

static const struct command_field ipc_fields[] = {
	{"container_id", COMMAND_TEXT, WITHIN(ipc, container_id), 0, NULL},
	{"host_ipc", COMMAND_FLAG, WITHIN(ipc, host_ipc), 0, NULL},
};
static const struct command_field pid_fields[] = {
	{"host_pid", COMMAND_FLAG, WITHIN(pid, host_pid), 0, NULL},
};
static const struct command_field uts_fields[] = {
	{"host_uts", COMMAND_FLAG, WITHIN(uts, host_uts), 0, NULL},
};
static const struct command_shape ipc_shape = {0, ARRAY_SIZE(ipc_fields), ipc_fields};
static const struct command_shape pid_shape = {0, ARRAY_SIZE(pid_fields), pid_fields};
static const struct command_shape uts_shape = {0, ARRAY_SIZE(uts_fields), uts_fields};

#define TYPE struct runlxc_command_rlimit
static const struct command_field rlimit_fields[] = {
	FIELD(Name, TEXT),
	FIELD(Soft, I64),
	FIELD(Hard, I64),
};
static const struct command_shape rlimit_shape = SHAPE(TYPE, rlimit_fields);
#undef TYPE

#define TYPE struct runlxc_command_resources
static const struct command_field resources_fields[] = {
	FIELD(memory, I64),
	FIELD(memory_reservation, I64),
	FIELD(memory_swap, I64),
	FIELD(cpu_shares, I64),
	FIELD(cpu_period, I64),
	FIELD(cpu_quota, I64),
	FIELD(cpuset_cpus, TEXT),
	FIELD(cpuset_mems, TEXT),
	FIELD(blkio_weight, I64),
	LIST(rlimits, rlimit_shape),
	FIELD(oom_kill_disable, FLAG),
	{"memory_swappiness", COMMAND_SWAPPINESS, offsetof(TYPE, memory_swappiness),
	 offsetof(TYPE, memory_swappiness_set), NULL},
};
static const struct command_shape resources_shape = SHAPE(TYPE, resources_fields);
#undef TYPE

#define TYPE struct runlxc_command_mount
static const struct command_field mount_fields[] = {
	FIELD(source, TEXT),
	FIELD(destination, TEXT),
	FIELD(writable, FLAG),
	{"private", COMMAND_FLAG, offsetof(TYPE, private_), 0, NULL},
	FIELD(slave, FLAG),
};
static const struct command_shape mount_shape = SHAPE(TYPE, mount_fields);
#undef TYPE

#define TYPE struct runlxc_command_device
static const struct command_field device_fields[] = {
	FIELD(type, DEVICE),
	FIELD(path, TEXT),
	FIELD(major, I64),
	FIELD(minor, I64),
	FIELD(permissions, TEXT),
	FIELD(file_mode, U32),
	FIELD(uid, U32),
	FIELD(gid, U32),
};
static const struct command_shape device_shape = SHAPE(TYPE, device_fields);
#undef TYPE

#define TYPE struct runlxc_command_process
static const struct command_field process_fields[] = {
	FIELD(privileged, FLAG),
	FIELD(user, TEXT),
	FIELD(tty, FLAG),
	FIELD(entrypoint, TEXT),
	FIELD(arguments, TEXTS),
	FIELD(env, TEXTS),
};
static const struct command_shape process_shape = SHAPE(TYPE, process_fields);
#undef TYPE

#define TYPE struct runlxc_command
static const struct command_field command_fields[] = {
	FIELD(id, TEXT),
	FIELD(rootfs, TEXT),
	FIELD(readonly_rootfs, FLAG),
	FIELD(initpath, TEXT),
	FIELD(working_dir, TEXT),
	FIELD(config_path, TEXT),
	OBJECT(network, OBJECT, network_shape),
	OBJECT(ipc, OBJECT, ipc_shape),
	OBJECT(pid, OBJECT, pid_shape),
	OBJECT(uts, OBJECT, uts_shape),
	OBJECT(resources, OBJECT, resources_shape),
	LIST(mounts, mount_shape),
	LIST(allowed_devices, device_shape),
	LIST(autocreated_devices, device_shape),
	FIELD(cap_add, TEXTS),
	FIELD(cap_drop, TEXTS),
	FIELD(group_add, TEXTS),
	FIELD(container_pid, INT),
	OBJECT(process_config, OBJECT, process_shape),
	FIELD(process_label, TEXT),
	FIELD(mount_label, TEXT),
	FIELD(lxc_config, TEXTS),
	FIELD(apparmor_profile, TEXT),
	FIELD(cgroup_parent, TEXT),
	FIELD(first_start, FLAG),
};
const struct command_shape command_shape = SHAPE(TYPE, command_fields);
#undef TYPE
