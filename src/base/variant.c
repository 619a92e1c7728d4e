/* SPDX-License-Identifier: Apache-2.0 */
#include "base/variant.h"

#include <errno.h>
#include <string.h>

int properties_add(struct properties *properties, const char *name, struct variant value,
		   struct error *err)
{
	if (properties->count == properties->capacity) {
		size_t capacity = properties->capacity ? properties->capacity * 2 : 32;
		struct property *grown =
		    arena_alloc(&properties->arena, capacity, sizeof(*properties->items));

		if (!grown)
			return error_errno(err, ENOMEM, "%s", name);
		if (properties->count)
			memcpy(grown, properties->items,
			       properties->count * sizeof(*properties->items));
		properties->items = grown;
		properties->capacity = capacity;
	}
	name = arena_strdup(&properties->arena, name);
	if (!name)
		return error_errno(err, ENOMEM, "Failed to list properties");
	properties->items[properties->count++] = (struct property){name, value};
	return 0;
}

void properties_free(struct properties *properties)
{
	arena_free(&properties->arena);
	*properties = (struct properties)PROPERTIES_INIT;
}

const char *variant_signature(const struct variant *value, struct arena *arena)
{
	const char *all = "";
	size_t i;

	if (value->type == 'a')
		return arena_printf(arena, "a%s", value->element);
	if (value->type != '(')
		return arena_printf(arena, "%c", value->type);
	for (i = 0; i < value->count && all; i++) {
		const char *one = variant_signature(&value->items[i], arena);

		all = one ? arena_printf(arena, "%s%s", all, one) : NULL;
	}
	return all ? arena_printf(arena, "(%s)", all) : NULL;
}
