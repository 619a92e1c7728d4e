/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as systemd has them (systemd.resource-control(5)), so that it does not take them back when
 * it writes a unit's cgroups anew. Which property is which file is runc's choice. What systemd has
 * no property for is in the files alone.
 */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/ranges.h"
#include "cgroup/internal.h"

#define DEFAULT_PERIOD_USEC 100000

struct translation {
	const struct cgroup_layout *layout;
	const char *path;
	const struct cgroup_settings *settings;
	struct properties *properties;
	struct error *err;
};

static int add(struct translation *translation, const char *name, struct variant value)
{
	return properties_add(translation->properties, name, value, translation->err);
}

static const char *value_of(const struct translation *translation, const char *file)
{
	const struct cgroup_settings *settings = translation->settings;

	for (size_t i = settings->count; i > 0; i--)
		if (strcmp(settings->items[i - 1].file, file) == 0)
			return settings->items[i - 1].value;
	return NULL;
}

/* ---- sizes, weights, sets ---- */

/* "max" and v1's -1 are no limit. */
static uint64_t number_of(const char *value)
{
	return *value == 'm' || *value == '-' ? UINT64_MAX : strtoull(value, NULL, 10);
}

static int add_set(struct translation *translation, const char *name, const char *list)
{
	struct ranges ranges;
	struct variant *bytes =
	    arena_alloc(&translation->properties->arena, sizeof(ranges), sizeof(*bytes));
	size_t count = 0;

	if (!bytes)
		return error_errno(translation->err, ENOMEM, "%s", name);
	/* An empty one takes a set away; systemd has the same for it. */
	if (ranges_parse(list, &ranges) < 0)
		return error_set(translation->err, "\"%s\" is no list for %s", list, name);
	for (size_t i = 0; i < sizeof(ranges); i++) {
		bytes[i] = (struct variant){.type = 'y',
					    .number = ranges.words[i / 8] >> i % 8 * 8 & UINT8_MAX};
		if (bytes[i].number)
			count = i + 1;
	}
	return add(translation, name,
		   (struct variant){.type = 'a', .element = "y", .items = bytes, .count = count});
}

static int add_plain(struct translation *translation)
{
	static const struct {
		const char *file, *name;
		bool set;
	} table[] = {
	    {"memory.max", "MemoryMax", false},
	    {"memory.high", "MemoryHigh", false},
	    {"memory.low", "MemoryLow", false},
	    {"memory.min", "MemoryMin", false},
	    {"memory.swap.max", "MemorySwapMax", false},
	    {"memory.limit_in_bytes", "MemoryLimit", false},
	    {"cpu.weight", "CPUWeight", false},
	    {"cpu.shares", "CPUShares", false},
	    {"io.weight", "IOWeight", false},
	    {"blkio.weight", "BlockIOWeight", false},
	    {"pids.max", "TasksMax", false},
	    {"cpuset.cpus", "AllowedCPUs", true},
	    {"cpuset.mems", "AllowedMemoryNodes", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *value = value_of(translation, table[i].file);

		/* io.weight has lines for devices, too. */
		if (!value || (!table[i].set && strchr(value, ' ')))
			continue;
		if ((table[i].set
			 ? add_set(translation, table[i].name, value)
			 : add(translation, table[i].name, variant_number(number_of(value)))) < 0)
			return -1;
	}
	return 0;
}

/* ---- time of CPUs ---- */

/* What is not to be changed is as it is now. */
static uint64_t now(const struct translation *translation, const char *file, bool second,
		    uint64_t none)
{
	struct error ignored = ERROR_INIT;
	cleanup_free char *text =
	    translation->path
		? cgroup_read(translation->layout, translation->path, "cpu", file, &ignored)
		: NULL;
	const char *word = text && second ? strchr(text, ' ') : text;

	error_clear(&ignored);
	return word ? number_of(word + second) : none;
}

static bool read_bandwidth(const struct translation *translation, uint64_t *quota, uint64_t *period)
{
	const char *both = value_of(translation, "cpu.max"), *space = both ? strchr(both, ' ') : 0;
	const char *of_quota = value_of(translation, "cpu.cfs_quota_us");
	const char *of_period = value_of(translation, "cpu.cfs_period_us");

	if (both) {
		*quota = number_of(both);
		*period = space ? number_of(space + 1)
				: now(translation, "cpu.max", true, DEFAULT_PERIOD_USEC);
		return true;
	}
	if (!of_quota && !of_period)
		return false;
	*quota = of_quota ? number_of(of_quota)
			  : now(translation, "cpu.cfs_quota_us", false, UINT64_MAX);
	*period = of_period ? number_of(of_period)
			    : now(translation, "cpu.cfs_period_us", false, DEFAULT_PERIOD_USEC);
	return true;
}

static int add_bandwidth(struct translation *translation)
{
	const uint64_t second = 1000000, percent = second / 100;
	uint64_t quota, period, per_second = UINT64_MAX;

	if (!read_bandwidth(translation, &quota, &period) || !period)
		return 0;
	/* systemd keeps whole percents: never less than what was asked for. */
	if (quota < UINT64_MAX / second)
		per_second = (quota * second / period + percent - 1) / percent * percent;
	return add(translation, "CPUQuotaPeriodUSec", variant_number(period)) < 0
		   ? -1
		   : add(translation, "CPUQuotaPerSecUSec", variant_number(per_second));
}

/* ---- devices ---- */

/* The name that the kernel's drivers gave a major number: "char-pts". */
static bool group_name(const char *devices, char type, unsigned int major, char *name, size_t size)
{
	const char *line = devices ? strstr(devices, type == 'c' ? "Character" : "Block") : NULL;
	unsigned int number;
	char found[64];

	for (line = line ? strchr(line, '\n') : NULL; line && line[1] != '\n' && line[1];
	     line = strchr(line + 1, '\n'))
		if (sscanf(line + 1, "%u %63s", &number, found) == 2 && number == major) {
			snprintf(name, size, "%s-%s", type == 'c' ? "char" : "block", found);
			return true;
		}
	return false;
}

/* What systemd calls a line of v1's list, "c 136:* rwm". False: it has no name for that. */
static bool device_name(const char *devices, const char *line, char *name, size_t size)
{
	unsigned int major, minor;
	const char *kind = *line == 'c' ? "char" : "block";

	if (sscanf(line + 1, " %u:%u ", &major, &minor) == 2)
		return snprintf(name, size, "/dev/%s/%u:%u", kind, major, minor) > 0;
	if (strncmp(line + 1, " *:* ", 5) == 0)
		return snprintf(name, size, "%s-*", kind) > 0;
	return sscanf(line + 1, " %u:%1[*]", &major, (char[2]){0}) == 2 &&
	       group_name(devices, *line, major, name, size);
}

static int add_device(struct translation *translation, struct variant *entry, const char *name,
		      const char *access)
{
	struct arena *arena = &translation->properties->arena;
	struct variant *pair = arena_alloc(arena, 2, sizeof(*pair));

	name = arena_strdup(arena, name);
	access = arena_strdup(arena, access);
	if (!pair || !name || !access)
		return error_errno(translation->err, ENOMEM, "DeviceAllow");
	pair[0] = variant_text(name);
	pair[1] = variant_text(access);
	*entry = (struct variant){.type = '(', .items = pair, .count = 2};
	return 0;
}

static int add_policy(struct translation *translation, bool strict, const struct variant *entries,
		      size_t count)
{
	/* The list is emptied before it is filled. */
	const struct variant none = {.type = 'a', .element = "(ss)"};
	struct variant list = none;

	list.items = entries;
	list.count = strict ? count : 0;
	return add(translation, "DevicePolicy", variant_text(strict ? "strict" : "auto")) < 0 ||
		       add(translation, "DeviceAllow", none) < 0 ||
		       (list.count && add(translation, "DeviceAllow", list) < 0)
		   ? -1
		   : 0;
}

/*
 * On v2 systemd's program and LXC's both have to agree, so that systemd's may allow more but never
 * less: with a rule that it can't be told it gets none. On v1 there is one list, which LXC sets
 * when systemd has; systemd would set its own again when it is reloaded, and that must never allow
 * more.
 */
static int add_devices(struct translation *translation)
{
	const struct cgroup_settings *settings = translation->settings;
	bool unified = translation->layout->mode == CGROUP_UNIFIED, expressible = true;
	cleanup_free char *devices = NULL;
	struct error ignored = ERROR_INIT;
	struct variant *entries;
	size_t count = 0, seen = 0;
	bool allows_all = false;

	entries = arena_alloc(&translation->properties->arena, settings->count, sizeof(*entries));
	if (!entries)
		return error_errno(translation->err, ENOMEM, "DeviceAllow");
	devices =
	    path_read_file(AT_FDCWD, "/proc/devices", 1 << 20, NULL, "/proc/devices", &ignored);
	error_clear(&ignored);
	for (size_t i = 0; i < settings->count; i++) {
		const struct cgroup_setting *setting = &settings->items[i];
		const char *access = strrchr(setting->value, ' ');
		char name[128];

		if (strncmp(setting->file, "devices.", strlen("devices.")) != 0)
			continue;
		/* The first says what holds where nothing else does. */
		if (seen++ == 0)
			allows_all = strcmp(setting->file, "devices.allow") == 0;
		else if (allows_all)
			expressible = false;
		else if (!access || !device_name(devices, setting->value, name, sizeof(name)))
			expressible = false;
		else if (add_device(translation, &entries[count++], name, access + 1) < 0)
			return -1;
	}
	if (!seen)
		return 0;
	if (allows_all)
		return add_policy(translation, !expressible && !unified, NULL, 0);
	return add_policy(translation, expressible || !unified, entries, count);
}

int cgroup_properties(const struct cgroup_layout *layout, const char *path,
		      const struct cgroup_settings *settings, struct properties *properties,
		      struct error *err)
{
	struct translation translation = {layout, path, settings, properties, err};

	return add_plain(&translation) < 0 || add_bandwidth(&translation) < 0 ||
		       (settings->count && add_devices(&translation) < 0)
		   ? -1
		   : 0;
}
