/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that are the same on v1 and v2, or on one of them only: rdma, network, unified. */
#include "cgroup/cgroup.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "cgroup/internal.h"

/* A name that the kernel reads up to the next blank. */
static bool is_word(const char *name)
{
	for (const char *c = name; *c; c++) {
		if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c))
			return false;
	}
	return *name != '\0';
}

/* ---- rdma ---- */

int limits_rdma(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;

	for (size_t i = 0; i < resources->rdma_count; i++) {
		const struct spec_rdma *rdma = &resources->rdma[i];
		char field[96], handles[40] = "", objects[40] = "";

		snprintf(field, sizeof(field), "rdma.%.80s", rdma->device);
		if (!is_word(rdma->device))
			return limits_error(limits, "rdma: \"%.64s\" is not the name of a device",
					    rdma->device);
		/* At least one of them is there; a 0 is a limit. */
		if (rdma->hca_handles.set)
			snprintf(handles, sizeof(handles), " hca_handle=%llu",
				 (unsigned long long)rdma->hca_handles.value);
		if (rdma->hca_objects.set)
			snprintf(objects, sizeof(objects), " hca_object=%llu",
				 (unsigned long long)rdma->hca_objects.value);
		if (limits_add(limits, hierarchy, "rdma", field, "rdma.max", "%s%s%s", rdma->device,
			       handles, objects))
			return -1;
	}
	return 0;
}

/* ---- network: controllers that only v1 has ---- */

int limits_class(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	return limits_add(limits, hierarchy, "net_cls", "network.classID", "net_cls.classid",
			  "%llu", (unsigned long long)limits->resources->network.class_id.value);
}

int limits_priorities(struct limits *limits, const struct cgroup_hierarchy *hierarchy)
{
	const struct spec_resources *resources = limits->resources;

	for (size_t i = 0; i < resources->network.priorities_count; i++) {
		const struct spec_interface_priority *one = &resources->network.priorities[i];
		const char *name = one->name ? one->name : "";
		char field[48];

		snprintf(field, sizeof(field), "network.priorities[%zu]", i);
		if (!is_word(name))
			return limits_error(limits,
					    "%s.name: \"%.32s\" is not the name of an interface",
					    field, name);
		if (limits_add(limits, hierarchy, "net_prio", field, "net_prio.ifpriomap", "%s %u",
			       name, one->priority))
			return -1;
	}
	return 0;
}

/* ---- unified: v2's files by their names ---- */

/* Not settings, but what would be done to the container or to other processes as it is made. */
static bool is_action(const char *file)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.kill",
					    "cgroup.freeze"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(file, files[i]) == 0)
			return true;
	}
	return false;
}

static bool has_controller(const struct cgroup_hierarchy *hierarchy, const char *name,
			   size_t length)
{
	for (char **controller = hierarchy->controllers; controller && *controller; controller++) {
		if (strlen(*controller) == length && strncmp(*controller, name, length) == 0)
			return true;
	}
	return false;
}

/* The controller is what stands before the first dot; "cgroup" every cgroup has. */
static int check_key(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		     const char *key)
{
	size_t length = strcspn(key, ".");

	if (is_action(key))
		return limits_error(limits, "unified.%s: is not a setting", key);
	if ((length == strlen("cgroup") && strncmp(key, "cgroup", length) == 0) ||
	    has_controller(hierarchy, key, length))
		return 0;
	return limits_error(limits, "unified.%s: can't be set: controller \"%.*s\" not available",
			    key, (int)length, key);
}

/* The kernel takes one line in one write, and of several only the first. */
static int add_lines(struct limits *limits, const struct cgroup_hierarchy *hierarchy,
		     const struct spec_pair *pair)
{
	size_t length = strcspn(pair->key, ".");
	cleanup_free char *controller = strndup(pair->key, length), *field = NULL;
	const char *line = pair->value;
	bool any = false;

	if (!controller || asprintf(&field, "unified.%s", pair->key) < 0)
		return error_errno(limits->err, ENOMEM, "linux.resources");
	for (; *line; line += strcspn(line, "\n")) {
		line += strspn(line, "\n");
		if (!*line)
			break;
		any = true;
		if (limits_add(limits, hierarchy, strcmp(controller, "cgroup") ? controller : "",
			       field, pair->key, "%.*s", (int)strcspn(line, "\n"), line))
			return -1;
	}
	return any ? 0 : limits_error(limits, "%s: is empty", field);
}

int limits_unified(struct limits *limits)
{
	const struct spec_pairs *unified = &limits->resources->unified;
	const struct cgroup_hierarchy *hierarchy = cgroup_find(limits->layout, "");

	if (unified->count == 0)
		return 0;
	/* As runc, with a v2 tree beside v1, too: the limits are v1's there. */
	if (limits->layout->mode != CGROUP_UNIFIED || !hierarchy)
		return limits_error(limits, "unified: invalid configuration: cannot use unified on "
					    "cgroup v1");
	for (size_t i = 0; i < unified->count; i++) {
		if (check_key(limits, hierarchy, unified->items[i].key) ||
		    add_lines(limits, hierarchy, &unified->items[i]))
			return -1;
	}
	return 0;
}
