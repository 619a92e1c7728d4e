/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of a scope that config.json names, as in runc: "org.systemd.property.NAME". */
#include "systemd/systemd.h"

#include <string.h>

#include "base/cleanup.h"
#include "spec/spec.h"

static const char prefix[] = "org.systemd.property.";

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length >= 3 &&
	       length == strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

/* "TimeoutStopSec" is what the manuals call it; over D-Bus it is "TimeoutStopUSec". */
static bool is_in_seconds(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && strcmp(name + length - 3, "Sec") == 0 && name[length - 4] >= 'a' &&
	       name[length - 4] <= 'z';
}

static int to_microseconds(struct variant *value, struct error *err)
{
	const uint64_t million = 1000000;

	if (value->type == 'd' && value->real >= 0 && value->real < 1e12)
		*value = variant_number((uint64_t)(value->real * (double)million));
	else if (strchr("nix", value->type) && value->integer >= 0 &&
		 (uint64_t)value->integer <= UINT64_MAX / million)
		*value = variant_number((uint64_t)value->integer * million);
	else if (strchr("yqut", value->type) && value->number <= UINT64_MAX / million)
		*value = variant_number(value->number * million);
	else
		return error_set(err, "it is no number of seconds");
	return 0;
}

static int add(const char *name, const char *text, struct properties *properties, struct error *err)
{
	struct variant value;

	if (!is_name(name))
		return error_set(err, "\"%s\" can't be the name of a property", name);
	if (variant_parse(text, &properties->arena, &value, err) < 0)
		return -1;
	if (!is_in_seconds(name))
		return properties_add(properties, name, value, err);
	if (to_microseconds(&value, err) < 0)
		return -1;
	name = arena_printf(&properties->arena, "%.*sUSec", (int)strlen(name) - 3, name);
	return properties_add(properties, name ? name : "", value, err);
}

int systemd_properties_from_annotations(const struct spec *spec, struct properties *properties,
					struct error *err)
{
	for (size_t i = 0; i < spec->annotations.count; i++) {
		const char *key = spec->annotations.items[i].key;
		const char *text = spec->annotations.items[i].value;

		if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (add(key + sizeof(prefix) - 1, text, properties, err) < 0)
			return error_prefix(err, "annotations[\"%s\"]: \"%s\"", key, text);
	}
	return 0;
}
