/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/json-request.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/macros.h"
#include "model/blocker.h"
#include "publish/json-event.h"

/* What each op takes beside "op" and "id"; NULL-terminated. */
static const struct {
        const char *name;
        const char *members[4];
} ops[] = {
        [JSON_OP_SNAPSHOT] = { "snapshot", {} },
        [JSON_OP_STATUS] = { "status", {} },
        [JSON_OP_SUBSCRIBE] = { "subscribe", { "types", "domains", "blockers" } },
        [JSON_OP_REPLAY] = { "replay", { "since" } },
};

const char *json_op_to_string(JsonOp op) {
        return op < ARRAY_SIZE(ops) ? ops[op].name : NULL;
}

static bool refuse(JsonRequest *request, const char *name, const char *format, ...) _printf_(3, 4);
static bool refuse(JsonRequest *request, const char *name, const char *format, ...) {
        va_list args;

        va_start(args, format);
        vsnprintf(request->error, sizeof(request->error), format, args);
        va_end(args);
        request->error_name = name;
        return false;
}

static bool parse_id(const json_t *id, JsonRequest *request) {
        size_t n;

        if (!id)
                return true;
        if (!json_is_string(id) && !json_is_integer(id))
                return refuse(request, "bad-member", "\"id\" must be a string or an integer.");

        n = json_dumpb(id, request->id, sizeof(request->id), JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        if (n == 0 || n > sizeof(request->id))
                return refuse(request, "bad-member", "\"id\" is too long: at most %zu bytes as JSON.",
                              sizeof(request->id));
        request->n_id = n;
        return true;
}

static bool parse_op(const json_t *op, JsonRequest *request) {
        if (!json_is_string(op))
                return refuse(request, "bad-member",
                              "\"op\" must be \"snapshot\", \"status\", \"subscribe\" or \"replay\".");

        for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
                if (strcmp(ops[i].name, json_string_value(op)) == 0) {
                        request->op = i;
                        return true;
                }
        return refuse(request, "unknown-op",
                      "Unknown op \"%.64s\": known are snapshot, status, subscribe and replay.",
                      json_string_value(op));
}

static bool check_members(const json_t *object, JsonRequest *request) {
        const char *name;
        json_t *value;

        json_object_foreach((json_t *) object, name, value) {
                const char *const *known = ops[request->op].members;

                if (strcmp(name, "op") == 0 || strcmp(name, "id") == 0)
                        continue;
                while (*known && strcmp(*known, name) != 0)
                        known++;
                if (!*known)
                        return refuse(request, "bad-member", "\"%s\" takes no member \"%.64s\".",
                                      ops[request->op].name, name);
        }
        return true;
}

/* An optional array of strings, each of which `add` puts into the filter. *ret_present says whether it is there. */
static bool parse_list(const json_t *object, const char *member, JsonRequest *request,
                       bool (*add)(Text value, JsonRequest *request), bool *ret_present) {
        const json_t *list = json_object_get(object, member), *value;
        size_t i;

        *ret_present = list;
        if (!list)
                return true;
        if (!json_is_array(list))
                return refuse(request, "bad-member", "\"%s\" must be an array of strings.", member);

        json_array_foreach(list, i, value) {
                if (!json_is_string(value))
                        return refuse(request, "bad-member", "\"%s\"[%zu] must be a string.", member, i);
                if (!add((Text) { json_string_value(value), json_string_length(value) }, request))
                        return false;
        }
        return true;
}

static bool add_type(Text value, JsonRequest *request) {
        EventType type;

        if (json_event_type_from_name(value, &type) < 0)
                return refuse(request, "bad-member",
                              "\"types\": \"%.64s\" is none of ruleset, domain, process, denial, lost and reconciled.", value.data);
        request->filter.types |= 1U << type;
        return true;
}

static bool add_domain(Text value, JsonRequest *request) {
        EventFilter *filter = &request->filter;
        uint64_t id;

        if (text_parse_u64(value, 16, &id) < 0)
                return refuse(request, "bad-member", "\"domains\": \"%.64s\" is not a domain ID in hex.", value.data);
        if (filter->n_domains == EVENT_FILTER_DOMAINS_MAX)
                return refuse(request, "bad-member", "\"domains\" holds more than %d IDs.", EVENT_FILTER_DOMAINS_MAX);
        filter->domains[filter->n_domains++] = id;
        return true;
}

static bool add_blocker(Text value, JsonRequest *request) {
        Blocker blocker;

        if (text_is(value, "other"))
                request->filter.blockers |= EVENT_BLOCKER_OTHER;
        else if (blocker_from_name(value, &blocker) >= 0)
                request->filter.blockers |= UINT64_C(1) << blocker;
        else
                return refuse(request, "bad-member",
                              "\"blockers\": \"%.64s\" is not known; those that the kernel alone knows are \"other\".",
                              value.data);
        return true;
}

static bool parse_filter(const json_t *object, JsonRequest *request) {
        EventFilter *filter = &request->filter;
        bool by_type;

        if (!parse_list(object, "types", request, add_type, &by_type) ||
            !parse_list(object, "domains", request, add_domain, &filter->by_domain) ||
            !parse_list(object, "blockers", request, add_blocker, &filter->by_blockers))
                return false;
        if (!by_type)
                filter->types = EVENT_FILTER_EVERYTHING.types;
        return true;
}

static bool parse_since(const json_t *object, JsonRequest *request) {
        const json_t *since = json_object_get(object, "since");

        if (!json_is_integer(since) || json_integer_value(since) < 0)
                return refuse(request, "bad-member", "\"since\" must be the seq of an event, an integer from 0 on.");
        request->since = json_integer_value(since);
        return true;
}

static bool parse_object(const json_t *object, JsonRequest *request) {
        if (!parse_id(json_object_get(object, "id"), request) ||
            !parse_op(json_object_get(object, "op"), request) ||
            !check_members(object, request))
                return false;

        switch (request->op) {
        case JSON_OP_SUBSCRIBE:
                return parse_filter(object, request);
        case JSON_OP_REPLAY:
                return parse_since(object, request);
        case JSON_OP_SNAPSHOT:
        case JSON_OP_STATUS:
                return true;
        case JSON_OP_UNKNOWN:
                break;
        }
        assert(false);
        return false;
}

bool json_request_parse(Text line, JsonRequest *ret) {
        json_auto_t *object = NULL;
        json_error_t error;

        *ret = (JsonRequest) { .op = JSON_OP_UNKNOWN };
        object = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, &error);
        if (!object)
                return refuse(ret, "bad-json", "Not valid JSON: %s (byte %d).", error.text, error.position);
        if (!json_is_object(object))
                return refuse(ret, "bad-json", "A request is a JSON object, such as {\"op\":\"snapshot\"}.");
        return parse_object(object, ret);
}
