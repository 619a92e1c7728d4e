/* SPDX-License-Identifier: Apache-2.0 */
/* What spec_validate() lets through and what it refuses in `linux`, rule by rule. */
#include "test_spec.h"

#include <stdio.h>

#define NEEDS_NS " without a user namespace in linux.namespaces"

static void a_new_mount_namespace_is_required(void **state)
{
	expect("{'linux': null}", "config.json: linux.namespaces: a mount namespace is missing");
	expect("{'linux': {'namespaces': [{'type': 'pid'}]}}",
	       "config.json: linux.namespaces: a mount namespace is missing");
	expect("{'linux': {'namespaces': [{'type': 'pid'}, {'type': 'mount', 'path': '/a'}]}}",
	       "config.json: linux.namespaces[1].path: the mount namespace must be a new one");
	/* An empty path is none. */
	expect("{'linux': {'namespaces': [{'type': 'mount', 'path': ''}]}}", NULL);
}

static void namespaces_are_known_single_and_joined_by_absolute_paths(void **state)
{
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'pid'}, {'type': 'network'},"
	       " {'type': 'ipc', 'path': '/proc/1/ns/ipc'}, {'type': 'uts'}, {'type': 'cgroup'}]}}",
	       NULL);
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'net'}]}}",
	       "config.json: linux.namespaces[1].type: \"net\" is not a namespace");
	expect("{'linux': {'namespaces': [{'path': '/proc/1/ns/net'}]}}",
	       "config.json: linux.namespaces[0].type: is missing");
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'mount'}]}}",
	       "config.json: linux.namespaces[1].type: the mount namespace is listed twice");
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'ipc', 'path': 'ipc'}]}}",
	       "config.json: linux.namespaces[1].path: must be an absolute path");
}

static void time_offsets_need_a_new_time_namespace(void **state)
{
	expect("{'linux': {'timeOffsets': {'boottime': {'secs': 1}}}}",
	       "config.json: linux.timeOffsets: can't be set without a new time namespace in "
	       "linux.namespaces");
	expect("{'linux': {'timeOffsets': {'realtime': {'secs': 1}}}}",
	       "config.json: linux.timeOffsets.realtime: is neither boottime nor monotonic");
	expect("{'linux': {'timeOffsets': {}}}", NULL);
	expect("{'linux': {'timeOffsets': {'boottime': null}}}", NULL);
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time'}], 'timeOffsets':"
	       " {'boottime': {'secs': -1, 'nanosecs': 999999999}}}}",
	       NULL);
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time'}], 'timeOffsets':"
	       " {'monotonic': {'nanosecs': 1000000000}}}}",
	       "config.json: linux.timeOffsets.monotonic.nanosecs: is not in 0 to 999999999");
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'time', 'path': '/x'}],"
	       " 'timeOffsets': {'boottime': {'secs': 1}}}}",
	       "config.json: linux.timeOffsets: can't be set without a new time namespace in "
	       "linux.namespaces");
}

#define MAP(container, host, size)                                                                 \
	"{'containerID': " #container ", 'hostID': " #host ", 'size': " #size "}"
#define USER "'namespaces': [{'type': 'mount'}, {'type': 'user'}]"
#define JOINED "'namespaces': [{'type': 'mount'}, {'type': 'user', 'path': '/proc/1/ns/user'}]"
#define GIDS "'gidMappings': [" MAP(0, 1000, 1) "]"

static void a_new_user_namespace_needs_both_mappings(void **state)
{
	expect("{'linux': {" USER ", 'uidMappings': [" MAP(0, 1000, 1) "], " GIDS "}}", NULL);
	expect(
	    "{'linux': {" USER ", " GIDS "}}",
	    "config.json: linux.uidMappings: is missing or empty; a new user namespace needs it");
	expect(
	    "{'linux': {" USER ", 'uidMappings': [" MAP(0, 1000, 1) "], 'gidMappings': []}}",
	    "config.json: linux.gidMappings: is missing or empty; a new user namespace needs it");
	/* One that is joined has its own already. */
	expect("{'linux': {" JOINED "}}", NULL);
	expect("{'linux': {" JOINED ", 'uidMappings': [" MAP(0, 1000, 1) "]}}", NULL);
	expect("{'linux': {'uidMappings': [" MAP(0, 1000, 1) "]}}",
	       "config.json: linux.uidMappings: can't be set" NEEDS_NS);
	expect("{'linux': {" GIDS "}}", "config.json: linux.gidMappings: can't be set" NEEDS_NS);
	expect("{'linux': {'uidMappings': [], 'gidMappings': []}}", NULL);
}

static void mappings_are_ranges_that_the_kernel_takes(void **state)
{
	expect("{'linux': {" USER
	       ", 'uidMappings': [" MAP(0, 1000, 10) ", " MAP(10, 2000, 4294965295) "], " GIDS "}}",
	       NULL);
	expect("{'linux': {" USER ", 'uidMappings': [" MAP(0, 1000, 0) "], " GIDS "}}",
	       "config.json: linux.uidMappings[0].size: must not be 0");
	expect("{'linux': {" USER ", 'uidMappings': [" MAP(0, 1, 4294967295) "], " GIDS "}}",
	       "config.json: linux.uidMappings[0]: goes beyond the last id");
	expect("{'linux': {" USER
	       ", 'uidMappings': [" MAP(0, 1000, 10) ", " MAP(9, 2000, 1) "], " GIDS "}}",
	       "config.json: linux.uidMappings[1]: overlaps with linux.uidMappings[0]");
	expect("{'linux': {" USER
	       ", 'uidMappings': [" MAP(0, 1000, 10) ", " MAP(10, 999, 2) "], " GIDS "}}",
	       "config.json: linux.uidMappings[1]: overlaps with linux.uidMappings[0]");
	expect("{'linux': {" USER ", 'uidMappings': [{'containerID': 0, 'hostID': 0}], " GIDS "}}",
	       "config.json: linux.uidMappings[0].size: is missing");
}

static void a_mapping_has_340_ranges_at_most(void **state)
{
	char text[341 * 64] = "{'linux': {" USER ", " GIDS ", 'uidMappings': [";
	size_t used = strlen(text);

	for (int i = 0; i < 341; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%s{'containerID': %d, 'hostID': %d, 'size': 1}",
					 i ? "," : "", i, i);
	strcpy(text + used, "]}}");
	expect(text, "config.json: linux.uidMappings: has more than 340 entries");
}

static void a_device_has_a_type_a_path_and_numbers(void **state)
{
	expect("{'linux': {'devices': ["
	       "{'path': '/dev/fuse', 'type': 'c', 'major': 10, 'minor': 229, 'fileMode': 8630},"
	       "{'path': '/dev/sda', 'type': 'b', 'major': 8, 'minor': 0},"
	       "{'path': '/dev/u', 'type': 'u', 'major': 4095, 'minor': 1048575},"
	       "{'path': '/dev/pipe', 'type': 'p'}]}}",
	       NULL);
	expect("{'linux': {'devices': [{'path': '/d', 'type': 's'}]}}",
	       "config.json: linux.devices[0].type: \"s\" is not one of c, b, u and p");
	expect("{'linux': {'devices': [{'path': '/d', 'type': 'char'}]}}",
	       "config.json: linux.devices[0].type: \"char\" is not one of c, b, u and p");
	expect("{'linux': {'devices': [{'path': '/d', 'type': ''}]}}",
	       "config.json: linux.devices[0].type: \"\" is not one of c, b, u and p");
	expect("{'linux': {'devices': [{'path': '/d', 'major': 1, 'minor': 3}]}}",
	       "config.json: linux.devices[0].type: is missing");
	expect("{'linux': {'devices': [{'type': 'p'}]}}",
	       "config.json: linux.devices[0].path: is missing");
	expect("{'linux': {'devices': [{'path': 'd', 'type': 'p'}]}}",
	       "config.json: linux.devices[0].path: must be an absolute path");
	expect("{'linux': {'devices': [{'path': '/d', 'type': 'c', 'minor': 1}]}}",
	       "config.json: linux.devices[0].major: is missing or not in 0 to 4095");
	expect("{'linux': {'devices': [{'path': '/d', 'type': 'b', 'major': 1, 'minor': -1}]}}",
	       "config.json: linux.devices[0].minor: is missing or not in 0 to 1048575");
	/* It would become another device: 4096 wraps to 0. */
	expect("{'linux': {'devices': [{'path': '/d', 'type': 'c', 'major': 4096, 'minor': 1}]}}",
	       "config.json: linux.devices[0].major: is missing or not in 0 to 4095");
}

static void device_rules_are_of_known_letters(void **state)
{
	expect("{'linux': {'resources': {'devices': [{'allow': false, 'access': 'rwm'},"
	       " {'allow': true, 'type': 'c', 'major': 5, 'access': 'r'},"
	       " {'allow': true, 'type': 'b', 'major': -1, 'minor': -1},"
	       " {'allow': true, 'type': 'a', 'access': ''}]}}}",
	       NULL);
	expect("{'linux': {'resources': {'devices': [{'allow': true, 'type': 'p'}]}}}",
	       "config.json: linux.resources.devices[0].type: \"p\" is not one of a, b and c");
	expect("{'linux': {'resources': {'devices': [{'allow': true, 'type': 'all'}]}}}",
	       "config.json: linux.resources.devices[0].type: \"all\" is not one of a, b and c");
	expect("{'linux': {'resources': {'devices': [{'allow': true, 'access': 'rx'}]}}}",
	       "config.json: linux.resources.devices[0].access: \"rx\" has more than r, w and m in "
	       "it");
	expect("{'linux': {'resources': {'devices': [{'allow': true, 'major': -2}]}}}",
	       "config.json: linux.resources.devices[0].major: -2 is out of range");
	expect("{'linux': {'resources': {'devices': [{'allow': true, 'minor': 4294967296}]}}}",
	       "config.json: linux.resources.devices[0].minor: 4294967296 is out of range");
}

static void limits_have_their_forms(void **state)
{
	expect("{'linux': {'resources': {'memory': {'swappiness': 100},"
	       " 'hugepageLimits': [{'pageSize': '2MB', 'limit': 0}, {'pageSize': '64KB', 'limit':"
	       " 1}, {'pageSize': '1GB', 'limit': 18446744073709551615}]}}}",
	       NULL);
	expect("{'linux': {'resources': {'memory': {'swappiness': 101}}}}",
	       "config.json: linux.resources.memory.swappiness: 101 is not in 0 to 100");
	expect("{'linux': {'resources': {'hugepageLimits': [{'pageSize': '../2MB', 'limit': 1}]}}}",
	       "config.json: linux.resources.hugepageLimits[0].pageSize: \"../2MB\" is not a size "
	       "such as 2MB");
	expect("{'linux': {'resources': {'hugepageLimits': [{'pageSize': '2M', 'limit': 1}]}}}",
	       "config.json: linux.resources.hugepageLimits[0].pageSize: \"2M\" is not a size such "
	       "as 2MB");
	expect("{'linux': {'resources': {'unified': {'../memory.max': '1'}}}}",
	       "config.json: linux.resources.unified: \"../memory.max\" is not the name of a "
	       "cgroup's file");
}

static void paths_are_absolute_and_may_repeat(void **state)
{
	expect("{'linux': {'maskedPaths': ['/proc/kcore', '/proc/kcore']}}", NULL);
	expect("{'linux': {'maskedPaths': ['/a', 'proc/kcore']}}",
	       "config.json: linux.maskedPaths[1]: must be an absolute path");
	expect("{'linux': {'readonlyPaths': ['']}}",
	       "config.json: linux.readonlyPaths[0]: must be an absolute path");
}

static void propagation_and_personality_are_known(void **state)
{
	expect("{'linux': {'rootfsPropagation': 'rslave'}}", NULL);
	expect("{'linux': {'rootfsPropagation': 'unbindable'}}", NULL);
	expect("{'linux': {'rootfsPropagation': ''}}", NULL);
	expect("{'linux': {'rootfsPropagation': 'rsla'}}",
	       "config.json: linux.rootfsPropagation: \"rsla\" is not known");
	expect("{'linux': {'personality': {'domain': 'LINUX'}}}", NULL);
	expect("{'linux': {'personality': {'domain': 'LINUX32', 'flags': []}}}", NULL);
	expect("{'linux': {'personality': {'domain': 'BSD'}}}",
	       "config.json: linux.personality.domain: \"BSD\" is not known");
	expect("{'linux': {'personality': {}}}",
	       "config.json: linux.personality.domain: is missing");
	expect("{'linux': {'personality': {'domain': 'LINUX', 'flags': ['SHORT_INODE']}}}",
	       "config.json: linux.personality.flags: \"SHORT_INODE\" is not known");
}

/* ---- sysctl ---- */

#define WITH(type) "'namespaces': [{'type': 'mount'}, {'type': '" type "'}]"

static void a_sysctl_needs_its_namespace(void **state)
{
	expect(
	    "{'linux': {" WITH(
		"ipc") ", 'sysctl': {'kernel.msgmax': '1', 'kernel.msgmnb': '1',"
		       " 'kernel.msgmni': '1', 'kernel.sem': '1 2 3 4', 'kernel.shmall': '1',"
		       " 'kernel.shmmax': '1', 'kernel.shmmni': '1', 'kernel.shm_rmid_forced': '1',"
		       " 'fs.mqueue.queues_max': '1'}}}",
	    NULL);
	expect(
	    "{'linux': {'sysctl': {'kernel.shmmax': '1'}}}",
	    "config.json: linux.sysctl: sysctl \"kernel.shmmax\" is not allowed in the host's ipc "
	    "namespace");
	expect("{'linux': {'sysctl': {'fs.mqueue.msg_max': '1'}}}",
	       "config.json: linux.sysctl: sysctl \"fs.mqueue.msg_max\" is not allowed in the "
	       "host's ipc namespace");
	expect("{'linux': {" WITH("network") ", 'sysctl': {'net.ipv4.ip_forward': '1'}}}", NULL);
	expect("{'linux': {" WITH("ipc") ", 'sysctl': {'net.ipv4.ip_forward': '1'}}}",
	       "config.json: linux.sysctl: sysctl \"net.ipv4.ip_forward\" is not allowed in the "
	       "host's network namespace");
	expect("{'linux': {" WITH("uts") ", 'sysctl': {'kernel.domainname': 'example'}}}", NULL);
	expect("{'linux': {'sysctl': {'kernel.domainname': 'example'}}}",
	       "config.json: linux.sysctl: sysctl \"kernel.domainname\" is not allowed in the "
	       "host's uts namespace");
	expect(
	    "{'linux': {" WITH("uts") ", 'sysctl': {'kernel.hostname': 'box'}}}",
	    "config.json: linux.sysctl: sysctl \"kernel.hostname\" is not allowed as it conflicts "
	    "with the hostname field");
}

static void a_sysctl_of_the_whole_host_is_refused(void **state)
{
	static const char *const keys[] = {
	    "vm.max_map_count",		"kernel.panic", "kernel.msgmax2",
	    "user.max_user_namespaces", "net",		"fs.mqueue"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *patch = NULL, *expected = NULL;

		assert_true(asprintf(&patch, "{'linux': {" WITH("ipc") ", 'sysctl': {'%s': '1'}}}",
				     keys[i]) > 0);
		assert_true(
		    asprintf(&expected,
			     "config.json: linux.sysctl: sysctl \"%s\" is not in a separate "
			     "kernel namespace",
			     keys[i]) > 0);
		expect(patch, expected);
	}
}

static void a_sysctl_may_have_slashes(void **state)
{
	expect("{'linux': {" WITH("network") ", 'sysctl':"
					     " {'net/ipv4/conf/eno2.100/rp_filter': '1', "
					     "'net.ipv4.conf.eno2/100.rp_filter':"
					     " '1'}}}",
	       NULL);
	expect(
	    "{'linux': {'sysctl': {'kernel/msgmax': '1'}}}",
	    "config.json: linux.sysctl: sysctl \"kernel/msgmax\" is not allowed in the host's ipc "
	    "namespace");
}

static void a_sysctl_leads_nowhere_else(void **state)
{
	static const char *const keys[] = {
	    "",
	    "net..ipv4",
	    "net.",
	    "net/../kernel/panic",
	    "net/./x",
	    "/net/ipv4",
	    "net.ipv4.a b",
	    "net.//.kernel.panic",
	    "net.ipv4.a\\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *patch = NULL, *expected = NULL;
		const char *shown = strstr(keys[i], "\\n") ? "net.ipv4.a\\x0a" : keys[i];

		assert_true(asprintf(&patch,
				     "{'linux': {" WITH("network") ", 'sysctl': {'%s': '1'}}}",
				     keys[i]) > 0);
		assert_true(asprintf(&expected,
				     "config.json: linux.sysctl: \"%s\" is not a sysctl's name",
				     shown) > 0);
		expect(patch, expected);
	}
}

/* Docker 20.10 writes the host's network as a path. */
static void a_sysctl_for_a_joined_namespace_looks_whose_it_is(void **state)
{
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'network', 'path':"
	       " '/proc/self/ns/net'}], 'sysctl': {'net.ipv4.ip_forward': '1'}}}",
	       "config.json: linux.sysctl: sysctl \"net.ipv4.ip_forward\" is not allowed in the "
	       "host's network namespace");
	/* Another file will do for another namespace: only joining it shows what it is. */
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'network', 'path':"
	       " '/dev/null'}], 'sysctl': {'net.ipv4.ip_forward': '1'}}}",
	       NULL);
	expect("{'linux': {'namespaces': [{'type': 'mount'}, {'type': 'network', 'path':"
	       " '/no/such'}], 'sysctl': {'net.ipv4.ip_forward': '1'}}}",
	       "config.json: linux.namespaces[1].path: can't look at \"/no/such\": no such file or "
	       "directory");
}

/* ---- seccomp ---- */

#define SECCOMP(rest) "{'linux': {'seccomp': {'defaultAction': 'SCMP_ACT_ALLOW'" rest "}}}"
#define RULE(rest)                                                                                 \
	SECCOMP(", 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_ERRNO'" rest "}]")

#define NOTIFY(names, rest)                                                                        \
	SECCOMP(", 'syscalls': [{'names': ['kill'], 'action': 'SCMP_ACT_LOG'}, {'names': [" names  \
		"], 'action': 'SCMP_ACT_NOTIFY'}]" rest)

static void a_filter_is_of_known_words(void **state)
{
	expect(SECCOMP(", 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_LOONGARCH64'],"
		       " 'flags': ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG',"
		       " 'SECCOMP_FILTER_FLAG_SPEC_ALLOW',"
		       " 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']"),
	       NULL);
	expect("{'linux': {'seccomp': {'syscalls': [{'names': ['read'], 'action':"
	       " 'SCMP_ACT_LOG'}]}}}",
	       "config.json: linux.seccomp.defaultAction: is missing");
	expect("{'linux': {'seccomp': {'defaultAction': 'SCMP_ACT_KIL'}}}",
	       "config.json: linux.seccomp.defaultAction: \"SCMP_ACT_KIL\" is not known");
	expect(SECCOMP(", 'architectures': ['SCMP_ARCH_X86_64', 'amd64']"),
	       "config.json: linux.seccomp.architectures[1]: \"amd64\" is not known");
	expect(SECCOMP(", 'flags': ['SECCOMP_FILTER_FLAG_NEW_LISTENER']"),
	       "config.json: linux.seccomp.flags[0]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is not "
	       "known");
	expect(SECCOMP(", 'listenerMetadata': 'x'"),
	       "config.json: linux.seccomp.listenerMetadata: is set without a listenerPath");
}

static void every_action_but_notify_can_be_a_rules(void **state)
{
	static const char *const actions[] = {
	    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
	    "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",	       "SCMP_ACT_ALLOW",       "SCMP_ACT_LOG"};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		cleanup_free char *patch = NULL;

		assert_true(asprintf(&patch,
				     SECCOMP(", 'syscalls': [{'names': ['read'], 'action': '%s'}]"),
				     actions[i]) > 0);
		expect(patch, NULL);
	}
}

/* Of a listenerPath nothing is wanted where no rule notifies. */
static void a_rule_that_notifies_needs_a_listener(void **state)
{
	expect(NOTIFY("'read', 'chmod'", ", 'listenerPath': '/run/agent', 'listenerMetadata': ''"),
	       NULL);
	expect(SECCOMP(", 'listenerPath': '/run/agent', 'listenerMetadata': 'x'"), NULL);
	expect(NOTIFY("'read'", ""), "config.json: linux.seccomp.listenerPath: is not set, which "
				     "linux.seccomp.syscalls[1].action (SCMP_ACT_NOTIFY) needs");
	expect(NOTIFY("'read'", ", 'listenerPath': ''"),
	       "config.json: linux.seccomp.listenerPath: is not set, which "
	       "linux.seccomp.syscalls[1].action (SCMP_ACT_NOTIFY) needs");
}

static void not_everything_can_be_notified_of(void **state)
{
	expect(NOTIFY("'read', 'write'", ", 'listenerPath': '/run/agent'"),
	       "config.json: linux.seccomp.syscalls[1].names[1]: SCMP_ACT_NOTIFY cannot be used "
	       "for the write syscall");
	expect("{'linux': {'seccomp': {'defaultAction': 'SCMP_ACT_NOTIFY', 'listenerPath': '/a'}}}",
	       "config.json: linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be used as "
	       "default action");
}

static void a_rule_has_names_and_a_known_action(void **state)
{
	expect(SECCOMP(", 'syscalls': [{'action': 'SCMP_ACT_LOG'}]"),
	       "config.json: linux.seccomp.syscalls[0].names: is empty");
	expect(SECCOMP(", 'syscalls': [{'names': ['read']}]"),
	       "config.json: linux.seccomp.syscalls[0].action: is missing");
	expect(SECCOMP(", 'syscalls': [{'names': ['read'], 'action': 'DENY'}]"),
	       "config.json: linux.seccomp.syscalls[0].action: \"DENY\" is not known");
}

static void a_rules_arguments_have_an_index_and_an_operator(void **state)
{
	static const char *const operators[] = {"SCMP_CMP_NE",	     "SCMP_CMP_LT", "SCMP_CMP_LE",
						"SCMP_CMP_EQ",	     "SCMP_CMP_GE", "SCMP_CMP_GT",
						"SCMP_CMP_MASKED_EQ"};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		cleanup_free char *patch = NULL;

		assert_true(asprintf(&patch,
				     RULE(", 'args': [{'index': 5, 'value': 18446744073709551615,"
					  " 'op': '%s'}]"),
				     operators[i]) > 0);
		expect(patch, NULL);
	}
	expect(RULE(", 'args': [{'index': 6, 'value': 0, 'op': 'SCMP_CMP_EQ'}]"),
	       "config.json: linux.seccomp.syscalls[0].args[0].index: 6 is not in 0 to 5");
	expect(RULE(", 'args': [{'index': 0, 'value': 0, 'op': '=='}]"),
	       "config.json: linux.seccomp.syscalls[0].args[0].op: \"==\" is not known");
}

static void an_errno_fits_its_action(void **state)
{
	expect(RULE(", 'errnoRet': 4094"), NULL);
	expect(RULE(", 'errnoRet': null"), NULL);
	expect(RULE(", 'errnoRet': 4095"),
	       "config.json: linux.seccomp.syscalls[0].errnoRet: is more than 4094");
	expect(SECCOMP(", 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_TRACE', 'errnoRet':"
		       " 65535}]"),
	       NULL);
	expect(SECCOMP(", 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_TRACE', 'errnoRet':"
		       " 65536}]"),
	       "config.json: linux.seccomp.syscalls[0].errnoRet: is more than 65535");
	expect(SECCOMP(", 'defaultErrnoRet': 1"),
	       "config.json: linux.seccomp.defaultErrnoRet: is for SCMP_ACT_ERRNO and "
	       "SCMP_ACT_TRACE only");
	expect("{'linux': {'seccomp': {'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 38}}}",
	       NULL);
}

#define NO_GROUP " is not the name of a resctrl group"

static void a_resctrl_group_is_one_directory(void **state)
{
	char patch[600], name[300];

	expect("{'linux': {'intelRdt': {}}}", NULL);
	expect("{'linux': {'intelRdt': null}}", NULL);
	expect("{'linux': {'intelRdt': {'closID': 'gold-1.5_x'}}}", NULL);
	/* As with every string, an empty one is none. */
	expect("{'linux': {'intelRdt': {'closID': ''}}}", NULL);
	expect("{'linux': {'intelRdt': {'closID': '.'}}}",
	       "config.json: linux.intelRdt.closID: \".\"" NO_GROUP);
	expect("{'linux': {'intelRdt': {'closID': '..'}}}",
	       "config.json: linux.intelRdt.closID: \"..\"" NO_GROUP);
	expect("{'linux': {'intelRdt': {'closID': 'a/b'}}}",
	       "config.json: linux.intelRdt.closID: \"a/b\"" NO_GROUP);
	expect("{'linux': {'intelRdt': {'closID': '/a'}}}",
	       "config.json: linux.intelRdt.closID: \"/a\"" NO_GROUP);
	expect("{'linux': {'intelRdt': {'closID': 'a\\nb'}}}",
	       "config.json: linux.intelRdt.closID: \"a\\x0ab\"" NO_GROUP);
	memset(name, 'x', sizeof(name));
	snprintf(patch, sizeof(patch), "{'linux': {'intelRdt': {'closID': '%.255s'}}}", name);
	expect(patch, NULL);
}

static void a_resctrl_group_that_is_the_hosts_is_left_as_it_is(void **state)
{
	expect("{'linux': {'intelRdt': {'closID': '/', 'enableMonitoring': true}}}", NULL);
	expect("{'linux': {'intelRdt': {'closID': '/', 'l3CacheSchema': 'L3:0=f'}}}", NULL);
	expect("{'linux': {'intelRdt': {'closID': '/', 'schemata': ['L3:0=f']}}}",
	       "config.json: linux.intelRdt.schemata: can't be set for the host's default group "
	       "(linux.intelRdt.closID)");
}

static void schemata_have_their_forms(void **state)
{
	expect("{'linux': {'intelRdt': {'l3CacheSchema': 'L3:0=f\\nMB:0=1', 'memBwSchema': ''}}}",
	       NULL);
	expect(
	    "{'linux': {'intelRdt': {'memBwSchema': 'MB:0=10', 'schemata': ['L3:0=f', 'L2:0=1']}}}",
	    NULL);
	expect("{'linux': {'intelRdt': {'memBwSchema': 'L3:0=f'}}}",
	       "config.json: linux.intelRdt.memBwSchema: must be one line that begins with MB:");
	expect("{'linux': {'intelRdt': {'memBwSchema': 'MB:0=1\\nMB:1=1'}}}",
	       "config.json: linux.intelRdt.memBwSchema: must be one line that begins with MB:");
	expect("{'linux': {'intelRdt': {'schemata': ['L3:0=f', 'a\\nb']}}}",
	       "config.json: linux.intelRdt.schemata[1]: must be one line");
	expect("{'linux': {'intelRdt': {'schemata': ['']}}}",
	       "config.json: linux.intelRdt.schemata[0]: must be one line");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_mount_namespace_is_required),
	    cmocka_unit_test(namespaces_are_known_single_and_joined_by_absolute_paths),
	    cmocka_unit_test(time_offsets_need_a_new_time_namespace),
	    cmocka_unit_test(a_new_user_namespace_needs_both_mappings),
	    cmocka_unit_test(mappings_are_ranges_that_the_kernel_takes),
	    cmocka_unit_test(a_mapping_has_340_ranges_at_most),
	    cmocka_unit_test(a_device_has_a_type_a_path_and_numbers),
	    cmocka_unit_test(device_rules_are_of_known_letters),
	    cmocka_unit_test(limits_have_their_forms),
	    cmocka_unit_test(paths_are_absolute_and_may_repeat),
	    cmocka_unit_test(propagation_and_personality_are_known),
	    cmocka_unit_test(a_resctrl_group_is_one_directory),
	    cmocka_unit_test(a_resctrl_group_that_is_the_hosts_is_left_as_it_is),
	    cmocka_unit_test(schemata_have_their_forms),
	    cmocka_unit_test(a_sysctl_needs_its_namespace),
	    cmocka_unit_test(a_sysctl_of_the_whole_host_is_refused),
	    cmocka_unit_test(a_sysctl_may_have_slashes),
	    cmocka_unit_test(a_sysctl_leads_nowhere_else),
	    cmocka_unit_test(a_sysctl_for_a_joined_namespace_looks_whose_it_is),
	    cmocka_unit_test(a_filter_is_of_known_words),
	    cmocka_unit_test(every_action_but_notify_can_be_a_rules),
	    cmocka_unit_test(a_rule_that_notifies_needs_a_listener),
	    cmocka_unit_test(not_everything_can_be_notified_of),
	    cmocka_unit_test(a_rule_has_names_and_a_known_action),
	    cmocka_unit_test(a_rules_arguments_have_an_index_and_an_operator),
	    cmocka_unit_test(an_errno_fits_its_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
