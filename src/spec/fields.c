/* SPDX-License-Identifier: Apache-2.0 */
/* Members of the model's own types. */
#include "spec/internal.h"

#include <inttypes.h>

int spec_get_string(const struct json_value *at, const char *key, char **out)
{
	char *text = NULL;

	if (json_get_string(at, key, &text))
		return -1;
	if (text && *text)
		*out = text;
	return 0;
}

int spec_get_strings(const struct json_value *at, const char *key, struct spec_strings *out)
{
	return json_get_strings(at, key, &out->count, &out->items);
}

static int read_pair(const struct json_value *value, void *into)
{
	struct spec_pair *pair = into;

	pair->key = json_strdup(value, value->key);
	return pair->key ? json_as_string(value, &pair->value) : -1;
}

int spec_get_pairs(const struct json_value *at, const char *key, struct spec_pairs *out)
{
	struct json_list list;

	if (json_get_map(at, key, sizeof(struct spec_pair), read_pair, &list))
		return -1;
	*out = (struct spec_pairs){list.count, list.items};
	return 0;
}

int spec_get_bool(const struct json_value *at, const char *key, struct spec_bool *out)
{
	out->set = json_member(at, key).object;
	return json_get_bool(at, key, &out->value);
}

int spec_get_i64(const struct json_value *at, const char *key, struct spec_i64 *out)
{
	out->set = json_member(at, key).object;
	return json_get_i64(at, key, &out->value);
}

int spec_get_u64(const struct json_value *at, const char *key, struct spec_u64 *out)
{
	out->set = json_member(at, key).object;
	return json_get_u64(at, key, &out->value);
}

int spec_get_u64_max(const struct json_value *at, const char *key, uint64_t max,
		     struct spec_u64 *out)
{
	if (spec_get_u64(at, key, out))
		return -1;
	if (out->set && out->value > max) {
		struct json_value member = json_member(at, key);

		return json_fail(&member, "%" PRIu64 " is out of range (0 to %" PRIu64 ")",
				 out->value, max);
	}
	return 0;
}

static int read_mapping(const struct json_value *at, void *into)
{
	struct spec_id_mapping *mapping = into;

	if (json_require(at, "containerID") || json_require(at, "hostID") ||
	    json_require(at, "size") || json_get_u32(at, "containerID", &mapping->container_id) ||
	    json_get_u32(at, "hostID", &mapping->host_id) ||
	    json_get_u32(at, "size", &mapping->size))
		return -1;
	return 0;
}

int spec_get_mappings(const struct json_value *at, const char *key, struct spec_id_mappings *out)
{
	struct json_list list;

	if (json_get_list(at, key, sizeof(struct spec_id_mapping), read_mapping, &list))
		return -1;
	*out = (struct spec_id_mappings){list.count, list.items};
	return 0;
}
