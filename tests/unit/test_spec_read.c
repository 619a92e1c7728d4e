/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of config.json reaches the model, with the value that the document has. */
#include "test_spec.h"
#include "test_spec_everything.h"

static int read_everything(void **state)
{
	*state = read_good(everything);
	return 0;
}

static int free_everything(void **state)
{
	spec_free(*state);
	return 0;
}

static void the_top_level_is_read(void **state)
{
	const struct spec *spec = *state;

	assert_string_equal(spec->name, "config.json");
	assert_string_equal(spec->oci_version, "1.3.0");
	assert_string_equal(spec->root.path, "rootfs");
	assert_true(spec->root.readonly);
	assert_string_equal(spec->hostname, "box");
	assert_string_equal(spec->domainname, "example.org");
}

static void the_process_is_read(void **state)
{
	const struct spec_process *process = &((struct spec *)*state)->process;

	assert_true(process->set);
	assert_true(process->terminal);
	assert_int_equal(process->console_height, 24);
	assert_int_equal(process->console_width, 80);
	assert_int_equal(process->user.uid, 1000);
	assert_true(process->user.gid == UINT32_MAX);
	assert_true(process->user.umask_set);
	assert_int_equal(process->user.umask, 18);
	assert_int_equal(process->user.additional_gids_count, 2);
	assert_int_equal(process->user.additional_gids[0], 5);
	assert_int_equal(process->user.additional_gids[1], 6);
	assert_int_equal(process->args.count, 3);
	assert_string_equal(process->args.items[0], "/bin/sh");
	assert_string_equal(process->args.items[1], "");
	assert_string_equal(process->args.items[2], "-c");
	assert_null(process->args.items[3]);
	assert_strings(&process->env, "PATH=/bin", "A=b=c");
	assert_string_equal(process->cwd, "/home");
	assert_true(process->no_new_privileges);
	assert_string_equal(process->apparmor_profile, "docker-default");
	assert_string_equal(process->selinux_label, "system_u:x");
	assert_set(process->oom_score_adj, -500);
}

static void the_process_has_its_privileges_and_limits(void **state)
{
	const struct spec_process *process = &((struct spec *)*state)->process;
	const struct spec_scheduler *scheduler = &process->scheduler;

	assert_true(process->capabilities.set);
	assert_strings(&process->capabilities.sets[SPEC_CAP_BOUNDING], "CAP_A", "CAP_B");
	assert_strings(&process->capabilities.sets[SPEC_CAP_EFFECTIVE], "CAP_C", NULL);
	assert_strings(&process->capabilities.sets[SPEC_CAP_INHERITABLE], "CAP_D", NULL);
	assert_strings(&process->capabilities.sets[SPEC_CAP_PERMITTED], "CAP_E", NULL);
	assert_strings(&process->capabilities.sets[SPEC_CAP_AMBIENT], "CAP_F", NULL);

	assert_int_equal(process->rlimits_count, 2);
	assert_string_equal(process->rlimits[0].type, "RLIMIT_CORE");
	assert_true(process->rlimits[0].soft == 0);
	assert_true(process->rlimits[0].hard == UINT64_MAX);
	assert_string_equal(process->rlimits[1].type, "RLIMIT_NOFILE");
	assert_true(process->rlimits[1].soft == 1024);
	assert_true(process->rlimits[1].hard == UINT64_C(1) << 63);

	assert_true(scheduler->set);
	assert_string_equal(scheduler->policy, "SCHED_DEADLINE");
	assert_int_equal(scheduler->nice, -20);
	assert_int_equal(scheduler->priority, 7);
	assert_strings(&scheduler->flags, "SCHED_FLAG_RECLAIM", NULL);
	assert_true(scheduler->runtime == 1 && scheduler->deadline == 2);
	assert_true(scheduler->period == UINT64_MAX);
	assert_string_equal(process->io_priority_class, "IOPRIO_CLASS_BE");
	assert_int_equal(process->io_priority, 4);
	assert_string_equal(process->cpu_affinity_initial, "0-1");
	assert_string_equal(process->cpu_affinity_final, "2,3");
}

static void mounts_are_read_in_order(void **state)
{
	const struct spec *spec = *state;
	const struct spec_mount *mount = &spec->mounts[1];

	assert_int_equal(spec->mounts_count, 2);
	assert_string_equal(spec->mounts[0].destination, "/proc");
	assert_string_equal(spec->mounts[0].type, "proc");
	assert_int_equal(spec->mounts[0].options.count, 0);
	assert_null(spec->mounts[0].options.items);
	assert_string_equal(mount->destination, "/data");
	assert_string_equal(mount->type, "none");
	assert_string_equal(mount->source, "/srv");
	assert_strings(&mount->options, "rbind", "ro");
	assert_int_equal(mount->uid_mappings.count, 1);
	assert_int_equal(mount->uid_mappings.items[0].host_id, 1000);
	assert_int_equal(mount->uid_mappings.items[0].size, 2);
	assert_int_equal(mount->gid_mappings.count, 1);
	assert_int_equal(mount->gid_mappings.items[0].container_id, 3);
	assert_int_equal(mount->gid_mappings.items[0].host_id, 4);
	assert_int_equal(mount->gid_mappings.items[0].size, 5);
}

static void hooks_of_every_kind_are_read(void **state)
{
	const struct spec *spec = *state;
	const char *const paths[] = {"/a", "/b", "/c", "/d", "/e", "/f"};
	const struct spec_hook *hook = &spec->hooks[SPEC_HOOK_PRESTART].items[0];

	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		assert_int_equal(spec->hooks[kind].count, kind == SPEC_HOOK_CREATE_RUNTIME ? 2 : 1);
		assert_string_equal(spec->hooks[kind].items[0].path, paths[kind]);
	}
	assert_string_equal(spec->hooks[SPEC_HOOK_CREATE_RUNTIME].items[1].path, "/b2");
	assert_strings(&hook->args, "a", "x");
	assert_strings(&hook->env, "E=1", NULL);
	assert_set(hook->timeout, 30);
	assert_false(spec->hooks[SPEC_HOOK_POSTSTOP].items[0].timeout.set);
}

static void maps_keep_the_order_of_the_document(void **state)
{
	const struct spec *spec = *state;

	assert_int_equal(spec->annotations.count, 3);
	assert_string_equal(spec->annotations.items[0].key, "z");
	assert_string_equal(spec->annotations.items[1].key, "a");
	assert_string_equal(spec_pairs_get(&spec->annotations, "a"), "first");
	assert_string_equal(spec_pairs_get(&spec->annotations, "empty"), "");
	assert_null(spec_pairs_get(&spec->annotations, "b"));
	assert_int_equal(spec->linux_.sysctl.count, 2);
	assert_string_equal(spec_pairs_get(&spec->linux_.sysctl, "net.ipv4.ip_forward"), "1");
	assert_string_equal(spec_pairs_get(&spec->linux_.sysctl, "kernel.msgmax"), "65536");
}

static void namespaces_and_mappings_are_read(void **state)
{
	const struct spec_linux *linux_ = &((struct spec *)*state)->linux_;

	for (int type = 0; type < SPEC_NS_TYPES; type++) {
		assert_true(linux_->namespaces[type].listed);
		if (type != SPEC_NS_NETWORK)
			assert_null(linux_->namespaces[type].path);
	}
	assert_string_equal(linux_->namespaces[SPEC_NS_NETWORK].path, "/run/netns/x");
	assert_int_equal(linux_->namespaces[SPEC_NS_NETWORK].index, 1);
	assert_int_equal(linux_->uid_mappings.count, 2);
	assert_int_equal(linux_->uid_mappings.items[0].host_id, 100000);
	assert_int_equal(linux_->uid_mappings.items[1].container_id, 65536);
	assert_int_equal(linux_->gid_mappings.count, 1);
	assert_int_equal(linux_->gid_mappings.items[0].size, 10);
	assert_true(linux_->time_offset_boottime.set);
	assert_int_equal(linux_->time_offset_boottime.secs, -5);
	assert_int_equal(linux_->time_offset_boottime.nanosecs, 7);
	assert_true(linux_->time_offset_monotonic.set);
	assert_int_equal(linux_->time_offset_monotonic.secs, 8);
}

static void the_rest_of_linux_is_read(void **state)
{
	const struct spec_linux *linux_ = &((struct spec *)*state)->linux_;

	assert_int_equal(linux_->devices_count, 2);
	assert_string_equal(linux_->devices[0].path, "/dev/fuse");
	assert_int_equal(linux_->devices[0].type, 'c');
	assert_int_equal(linux_->devices[0].major, 10);
	assert_int_equal(linux_->devices[0].minor, 229);
	assert_true(linux_->devices[0].mode_set);
	assert_int_equal(linux_->devices[0].file_mode, 020666);
	assert_int_equal(linux_->devices[0].uid, 1);
	assert_int_equal(linux_->devices[0].gid, 2);
	assert_int_equal(linux_->devices[1].type, 'p');
	assert_int_equal(linux_->devices[1].major, -1);
	assert_false(linux_->devices[1].mode_set);
	assert_string_equal(linux_->cgroups_path, "/docker/abc");
	assert_string_equal(linux_->rootfs_propagation, "rslave");
	assert_strings(&linux_->masked_paths, "/proc/kcore", "/proc/keys");
	assert_strings(&linux_->readonly_paths, "/proc/sys", NULL);
	assert_string_equal(linux_->mount_label, "system_u:y");
	assert_string_equal(linux_->personality_domain, "LINUX32");
	assert_strings(&linux_->personality_flags, "F", NULL);
	assert_true(linux_->intel_rdt.set);
	assert_string_equal(linux_->intel_rdt.clos_id, "group");
	assert_strings(&linux_->intel_rdt.schemata, "L3:0=f", "MB:0=70");
	assert_string_equal(linux_->intel_rdt.l3_cache_schema, "L3:0=7");
	assert_string_equal(linux_->intel_rdt.mem_bw_schema, "MB:0=20");
	assert_true(linux_->intel_rdt.enable_cmt && linux_->intel_rdt.enable_mbm);
	assert_true(linux_->intel_rdt.enable_monitoring);
	assert_true(linux_->memory_policy.set);
	assert_string_equal(linux_->memory_policy.mode, "MPOL_BIND");
	assert_string_equal(linux_->memory_policy.nodes, "0-3,7");
	assert_strings(&linux_->memory_policy.flags, "MPOL_F_STATIC_NODES", NULL);
	assert_int_equal(linux_->net_devices_count, 2);
	assert_string_equal(linux_->net_devices[0].name, "eth0");
	assert_string_equal(linux_->net_devices[0].new_name, "in0");
	assert_string_equal(linux_->net_devices[1].name, "eth1");
	assert_null(linux_->net_devices[1].new_name);
}

static void limits_of_memory_and_cpu_are_read(void **state)
{
	const struct spec_resources *resources = &((struct spec *)*state)->linux_.resources;

	assert_set(resources->memory.limit, -1);
	assert_set(resources->memory.reservation, 2);
	assert_set(resources->memory.swap, 3);
	assert_set(resources->memory.kernel, 4);
	assert_set(resources->memory.kernel_tcp, 5);
	assert_set(resources->memory.swappiness, 6);
	assert_set(resources->memory.disable_oom_killer, true);
	assert_set(resources->memory.use_hierarchy, false);
	assert_set(resources->memory.check_before_update, true);
	assert_set(resources->cpu.shares, 1024);
	assert_set(resources->cpu.quota, -1);
	assert_set(resources->cpu.burst, 3);
	assert_set(resources->cpu.period, 100000);
	assert_set(resources->cpu.realtime_runtime, 4);
	assert_set(resources->cpu.realtime_period, 5);
	assert_string_equal(resources->cpu.cpus, "2-3");
	assert_string_equal(resources->cpu.mems, "0");
	assert_set(resources->cpu.idle, 1);
	assert_set(resources->pids_limit, 32);
}

static void the_other_limits_are_read(void **state)
{
	const struct spec_resources *resources = &((struct spec *)*state)->linux_.resources;
	const struct spec_throttles *throttles[] = {
	    &resources->block_io.read_bps, &resources->block_io.write_bps,
	    &resources->block_io.read_iops, &resources->block_io.write_iops};

	assert_int_equal(resources->devices_count, 3);
	assert_false(resources->devices[0].allow);
	assert_int_equal(resources->devices[0].type, 'a');
	assert_false(resources->devices[0].major.set);
	assert_string_equal(resources->devices[0].access, "rwm");
	assert_true(resources->devices[1].allow);
	assert_int_equal(resources->devices[1].type, 'c');
	assert_set(resources->devices[1].major, 5);
	assert_set(resources->devices[1].minor, -1);
	assert_false(resources->devices[2].minor.set);
	assert_null(resources->devices[2].access);

	assert_set(resources->block_io.weight, 10);
	assert_set(resources->block_io.leaf_weight, 11);
	assert_int_equal(resources->block_io.weight_device_count, 2);
	assert_set(resources->block_io.weight_device[0].weight, 500);
	assert_false(resources->block_io.weight_device[0].leaf_weight.set);
	assert_int_equal(resources->block_io.weight_device[1].minor, 16);
	assert_set(resources->block_io.weight_device[1].leaf_weight, 300);
	for (size_t i = 0; i < ARRAY_SIZE(throttles); i++) {
		assert_int_equal(throttles[i]->count, 1);
		assert_int_equal(throttles[i]->items[0].major, 1);
		assert_int_equal(throttles[i]->items[0].minor, 2 + i);
		assert_int_equal(throttles[i]->items[0].rate, 600 + i);
	}
	assert_int_equal(resources->hugepage_limits_count, 1);
	assert_string_equal(resources->hugepage_limits[0].page_size, "2MB");
	assert_true(resources->hugepage_limits[0].limit == UINT64_C(1) << 63);
	assert_set(resources->network.class_id, 1048577);
	assert_int_equal(resources->network.priorities_count, 1);
	assert_string_equal(resources->network.priorities[0].name, "eth0");
	assert_int_equal(resources->network.priorities[0].priority, 500);
	assert_int_equal(resources->rdma_count, 2);
	assert_string_equal(resources->rdma[0].device, "mlx5_1");
	assert_set(resources->rdma[0].hca_handles, 3);
	assert_set(resources->rdma[0].hca_objects, 10000);
	assert_false(resources->rdma[1].hca_handles.set);
	assert_string_equal(spec_pairs_get(&resources->unified, "memory.high"), "1073741824");
}

static void the_filter_is_read(void **state)
{
	const struct spec_seccomp *seccomp = &((struct spec *)*state)->linux_.seccomp;
	const struct spec_seccomp_rule *rule = &seccomp->syscalls[1];

	assert_true(seccomp->set);
	assert_string_equal(seccomp->default_action, "SCMP_ACT_ERRNO");
	assert_set(seccomp->default_errno_ret, 38);
	assert_strings(&seccomp->architectures, "SCMP_ARCH_X86_64", "SCMP_ARCH_X32");
	assert_strings(&seccomp->flags, "SECCOMP_FILTER_FLAG_LOG", NULL);
	assert_true(seccomp->flags_set);
	assert_string_equal(seccomp->listener_path, "/run/agent");
	assert_string_equal(seccomp->listener_metadata, "meta");
	assert_int_equal(seccomp->syscalls_count, 2);
	assert_strings(&seccomp->syscalls[0].names, "getcwd", "chmod");
	assert_string_equal(seccomp->syscalls[0].action, "SCMP_ACT_ALLOW");
	assert_false(seccomp->syscalls[0].errno_ret.set);
	assert_set(rule->errno_ret, 1);
	assert_int_equal(rule->args_count, 1);
	assert_int_equal(rule->args[0].index, 0);
	assert_true(rule->args[0].value == 2114060288);
	assert_true(rule->args[0].value_two == UINT64_MAX);
	assert_string_equal(rule->args[0].op, "SCMP_CMP_MASKED_EQ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_top_level_is_read),
	    cmocka_unit_test(the_process_is_read),
	    cmocka_unit_test(the_process_has_its_privileges_and_limits),
	    cmocka_unit_test(mounts_are_read_in_order),
	    cmocka_unit_test(hooks_of_every_kind_are_read),
	    cmocka_unit_test(maps_keep_the_order_of_the_document),
	    cmocka_unit_test(namespaces_and_mappings_are_read),
	    cmocka_unit_test(the_rest_of_linux_is_read),
	    cmocka_unit_test(limits_of_memory_and_cpu_are_read),
	    cmocka_unit_test(the_other_limits_are_read),
	    cmocka_unit_test(the_filter_is_read),
	};

	return cmocka_run_group_tests(tests, read_everything, free_everything);
}
